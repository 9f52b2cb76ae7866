"""A package and its parts."""

from devices.packages.models.package import Package, PackagePart

__all__ = ["Package", "PackagePart"]
