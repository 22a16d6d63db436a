"""Build file: carries what lies outside the packages (templates, bundles, demo texts) into the wheel.

Everything else about the build stands in pyproject.toml. `python3 concord.py build` makes the bundles first.
"""

from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).resolve().parent
# Package in the wheel -> folder in the checkout; annotator/places.py reads them from there.
SHIPPED = {
    "annotator.shipped.dist": "static/dist",
    "annotator.shipped.assets": "static/assets",
    "annotator.shipped.templates": "templates",
    "annotator.shipped.demo": "fixtures/demo",
}
present = {package: folder for package, folder in SHIPPED.items() if (ROOT / folder).is_dir()}

setup(
    packages=[
        *find_namespace_packages(include=["annotator*", "review*", "prelabel*"], exclude=["*.__pycache__"]),
        *present,
    ],
    package_dir={"": ".", **present},
    package_data={
        **{package: ["*", "**/*"] for package in present},
        "annotator": ["locale/**/*.mo", "locale/**/*.po"],
    },
    include_package_data=False,
)
