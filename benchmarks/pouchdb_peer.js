// PouchDB as a peer of `benchmarks/sync_peers.py`: a server, or a client that pushes and a newcomer.
//
//   node pouchdb_peer.js server FOLDER             prints its port
//   node pouchdb_peer.js client URL FOLDER COUNT   prints seconds of the push and of the newcomer

const { randomBytes } = require('crypto')
const PouchDB = require('pouchdb')

const BATCHES = { batch_size: 1000 }

function document(number) {
  return {
    _id: `version-${String(number).padStart(9, '0')}`,
    digest: randomBytes(32).toString('hex'),
    size: 100000000,
    metrics: { loss: { value: Math.random(), step: 1000 }, accuracy: { value: Math.random(), step: 1000 } },
    params: { lr: Math.random() / 100 },
    tags: { env: 'dev' },
  }
}

async function timed(call) {
  const started = process.hrtime.bigint()
  await call()
  return Number(process.hrtime.bigint() - started) / 1e9
}

async function client(url, folder, count) {
  const mine = new PouchDB(`${folder}/mine`)
  for (let start = 0; start < count; start += 1000) {
    const size = Math.min(1000, count - start)
    await mine.bulkDocs(Array.from({ length: size }, (_, place) => document(start + place)))
  }
  const push = await timed(() => mine.replicate.to(url, BATCHES))
  const newcomer = new PouchDB(`${folder}/newcomer`)
  const pull = await timed(() => newcomer.replicate.from(url, BATCHES))
  const { doc_count } = await newcomer.info()
  if (doc_count !== count) throw new Error(`${doc_count} documents arrived`)
  console.log(JSON.stringify({ push, pull }))
}

function server(folder) {
  const app = require('express')()
  const Served = PouchDB.defaults({ prefix: `${folder}/` })
  app.use('/', require('express-pouchdb')(Served, { logPath: `${folder}/log`, configPath: `${folder}/config.json` }))
  const listening = app.listen(0, '127.0.0.1', () => console.log(listening.address().port))
}

const [kind, ...rest] = process.argv.slice(2)
if (kind === 'server') server(rest[0])
else client(rest[0], rest[1], Number(rest[2]))
