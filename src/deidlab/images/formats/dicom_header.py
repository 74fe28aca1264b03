"""What a DICOM header knows of a patient, and a header that knows nothing: PS3.15, Annex E, basic profile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from deidlab.images.known import date_forms, name_forms, occurrences, reduced
from deidlab.types import ConfigError, DataError

PROFILE = "dicomfields_2026c"  # the edition of PS3.15 whose table is applied
_NUMBERS = (
    "PatientID", "IssuerOfPatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "AdmissionID",
    "PatientTelephoneNumbers", "InstitutionName", "InstitutionalDepartmentName", "PatientAddress",
    "InstitutionAddress", "MilitaryRank", "CurrentPatientLocation", "PatientMotherBirthName", "PatientBirthName",
)  # fmt: skip
_TEXTS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"))
_SHORTEST = 4  # letters and digits of a number from which it is looked for in pixels


def identifiers(dataset: Any) -> tuple[str, ...]:
    """Names, numbers, addresses and dates of a header, at any depth, in the forms in which they may be burned in."""
    found: set[str] = set()
    for element in elements(dataset):
        values = [str(value) for value in _values(element) if str(value).strip()]
        if element.VR == "PN":
            found |= {form for value in values for form in name_forms(value)}
        elif element.keyword in _NUMBERS:
            found |= {value for value in values if len(reduced(value)[0]) >= _SHORTEST}
        elif element.VR in ("DA", "DT"):
            found |= {form for value in values for form in _dates(value)}
    return tuple(sorted(found))


def _dates(value: str) -> set[str]:
    try:
        return date_forms(datetime.strptime(value[:8], "%Y%m%d").date())
    except ValueError:
        return set()


def _values(element: Any) -> list[Any]:
    return list(element.value) if element.VM > 1 else [element.value] if element.VM else []


def elements(dataset: Any) -> Iterator[Any]:
    """All elements, those of nested items too."""
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)


def deidentify(dataset: Any, known: tuple[str, ...], place: str) -> None:
    """Apply the basic profile to a header, at every depth, and empty whatever still names the patient.

    Private elements go. Raises `DataError` where an element cannot be made safe.
    """
    try:
        from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions
    except ImportError:
        raise ConfigError('DICOM headers need dicom-anonymizer: pip install "deidlab[image]"') from None

    def everywhere(part: Any) -> None:
        anonymize_dataset(part, base_rules_gen=lambda: initialize_actions(PROFILE))
        for element in part:
            if element.VR == "SQ":
                for item in element.value:
                    everywhere(item)

    try:
        everywhere(dataset)
    except (NotImplementedError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise DataError(f"{place}: the header cannot be de-identified ({type(error).__name__})") from None
    names = [form for form in known if len(reduced(form)[0]) >= _SHORTEST and not form.isdecimal()]
    for element in list(elements(dataset)):
        if element.VR in _TEXTS and any(next(occurrences(str(v), names), None) for v in _values(element)):
            element.value = ""


def mark(dataset: Any) -> None:
    """Say in the header what was done (PS3.16, CID 7050), and that no annotation is burned in any more."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    def code(value: str, meaning: str) -> Any:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        return item

    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "deidlab: PS3.15 basic profile, burned-in text covered"
    dataset.DeidentificationMethodCodeSequence = Sequence(
        [
            code("113100", "Basic Application Confidentiality Profile"),
            code("113101", "Clean Pixel Data Option"),
        ]
    )
    dataset.BurnedInAnnotation = "NO"
