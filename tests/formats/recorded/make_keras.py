"""Write the recorded Keras files: `KERAS_BACKEND=jax python make_keras.py [FOLDER]`."""

import sys
from pathlib import Path

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="Shop")
class Double(layers.Layer):  # type: ignore[misc]
    """A layer of the user's own."""

    def call(self, inputs: object) -> object:
        """Double."""
        return inputs * 2  # type: ignore[operator]


def make(folder: Path) -> None:
    """Write a plain model in all its containers, one with a lambda, one with an own class."""
    plain = keras.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu")], name="net")
    plain.compile("sgd", "mse")
    plain.save(folder / "keras-plain.keras")
    plain.save(folder / "keras-plain.h5")
    plain.save_weights(folder / "keras-plain.weights.h5")
    (folder / "keras-plain.json").write_text(plain.to_json())
    code = keras.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x * 2)], name="code")
    code.save(folder / "keras-lambda.keras")
    code.save(folder / "keras-lambda.h5")
    (folder / "keras-lambda.json").write_text(code.to_json())
    own = keras.Sequential([layers.Input((4,)), Double()], name="own")
    own.save(folder / "keras-own-class.keras")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
