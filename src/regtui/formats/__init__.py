"""What stands in a model file, told without loading it.

`detect.read(source, name)` finds the format by what the file starts with and answers `Facts`:
whether loading the file the usual way could run code, whether the file is whole, its tensors, and
its own metadata. `pieces.cut` says where to cut a file so that equal tensors give equal pieces.
`values` holds what goes in and out.

What is read: pickles and what is made of them (torch, joblib, numpy, skops), safetensors, GGUF,
ONNX, HDF5, Keras, XGBoost, LightGBM, CatBoost, TensorFlow's `saved_model.pb`, indexes of sharded
weights; of text, images and programs only that they are such.

What is guaranteed: nothing of a file is imported, called or unpickled; nothing leaves a reader but
its answer and `OSError`; time and memory follow `Limits` and not what the file claims; `no-code`
and `tensors-only` are said only of what was understood to its end, or of a format that can't carry
code at all.

What is not: that a file which loads without running code is harmless to the library that parses it
(a defect of that library is not seen here); that the numbers in it are right; that a program next
to the file is harmless. `complete` says that a file ends where its format ends, not that its writer
wrote the right thing. A file may be read by another loader than the one that its format has: the
verdict then counts for nothing, so `detect` also asks the reader that the name stands for.

Nothing is imported here, so that a command pays only for the formats that it meets.
"""
