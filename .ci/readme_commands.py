"""Write each `sh` block of a Markdown file into a script of its own: command-1.sh, command-2.sh."""

import re
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="utf-8")
blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit(f"{sys.argv[1]} has no ```sh block")
for index, block in enumerate(blocks, start=1):
    Path(sys.argv[2], f"command-{index}.sh").write_text(block, encoding="utf-8")
