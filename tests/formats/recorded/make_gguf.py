"""Write the recorded GGUF files: `python make_gguf.py [FOLDER]`."""

import sys
from pathlib import Path

import gguf
import numpy as np


def make(folder: Path) -> None:
    """Write the same model in both orders of bytes, quantised blocks and a vocabulary in it."""
    orders = {"little": gguf.GGUFEndian.LITTLE, "big": gguf.GGUFEndian.BIG}
    for name, order in orders.items():
        writer = gguf.GGUFWriter(folder / f"gguf-{name}.gguf", "llama", endianess=order)
        writer.add_name("tiny")
        writer.add_block_count(2)
        writer.add_context_length(128)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_bool("tokenizer.ggml.add_bos_token", True)
        writer.add_array("general.tags", ["a", "b"])
        writer.add_array("tokenizer.ggml.tokens", [f"<{index}>" for index in range(200)])
        writer.add_array("tokenizer.ggml.scores", [0.5] * 200)
        weight = np.arange(128, dtype=np.float32).reshape(2, 64)
        writer.add_tensor("token_embd.weight", weight)
        writer.add_tensor("output_norm.weight", np.ones(3, dtype=np.float16))
        if name == "little":
            blocks = gguf.quants.quantize(weight, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor("blk.0.q", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
