"""How many augmented images a second the input pipeline makes on one core.

    python -m bench.augmentation

The bar is 20,000: a network on two cores takes about 250.
"""

from __future__ import annotations

import statistics
import time

import cv2
import numpy as np

from bench.common import conclude
from pipeline.training.augmentation import augment
from pipeline.training.config import TrainingConfig
from pipeline.training.mixing import blend

RECIPES = {
    "seed recipe": TrainingConfig(),
    "everything": TrainingConfig(brightness=0.2, contrast=0.3, erasing=0.5, mixup=0.2),
    "seed recipe at 96 px": TrainingConfig(input_size=96),
}
NUM_IMAGES = 8192
ROUNDS = 7


def images_per_second(config: TrainingConfig) -> float:
    size, batch = config.input_size, config.batch_size
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (NUM_IMAGES, size, size, 1), np.uint8)
    targets = np.eye(7, dtype=np.float32)[rng.integers(0, 7, NUM_IMAGES)]
    began = time.process_time()
    for start in range(0, NUM_IMAGES, batch):
        varied = augment(images[start : start + batch], config, rng)
        blend(varied, targets[start : start + batch], config, rng)
    return NUM_IMAGES / (time.process_time() - began)


def main() -> None:
    cv2.setNumThreads(1)
    findings = []
    for name, config in RECIPES.items():
        speeds = [images_per_second(config) for _ in range(ROUNDS)]
        print(
            f"{name:22s} median {statistics.median(speeds):9,.0f} images/s of CPU time "
            f"(min {min(speeds):,.0f}, max {max(speeds):,.0f})"
        )
        findings.append(f"{name} {statistics.median(speeds):,.0f}")
    conclude(f"images/s of one core: {'; '.join(findings)}")


if __name__ == "__main__":
    main()
