"""Readers for every form in which people hold FER-2013.

`import_dataset` finds out by itself what it was given:

- a table (`table`): `fer2013.csv`, `icml_face_data.csv`, `train.csv`, plain or
  packed with gzip or xz;
- image files in class folders (`images`);
- a zip or tar of these, or a folder that holds them;
- Hugging Face parquet files (`parquet`).
"""

from pipeline.dataset.readers.importer import import_dataset

__all__ = ["import_dataset"]
