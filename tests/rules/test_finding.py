"""Rules find structured identifiers in English and Spanish, leave medicine alone, and never take long."""

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidlab.rules.finding import RULES, TYPES, find

# [identifier|TYPE] marks what must be found, exactly and as that type, and nothing else.
FOUND = """
Seen on [06/02/2022|DATE] and on [3/19|DATE], first in [May|DATE], again [October 9|DATE] and [2-Mar-2019|DATE].
Admitted [2019-03-04|DATE], discharged [March 4th, 2019|DATE]; since [2011|DATE]; next visit [12/2024|DATE].
Born [5 January 1950|DATE], fell on [Labor Day|DATE].
DOB: [1/2/1931|DATE] Age: [92|AGE]
A [54|AGE]-year-old woman, a [61|AGE] y.o. man, [nineteen|AGE] years old, aged [49|AGE], in her [30s|AGE].
He is [58|AGE].
[54|AGE]F s/p colectomy. [45|AGE] years of age. [7|AGE]-month-old twin. Dad is [91|AGE] and confused.
Call [(617) 555-0123|PHONE] or [617-555-0199 x123|PHONE]; pager [12345|PHONE]; home [555-0134|PHONE].
Fax: [617.555.0177|FAX]
Write to [a.b-c@mail.example.org|EMAIL], see [https://example.org/a?b=1|URL], from [192.168.10.4|IPADDR].
SSN: [123-45-6789|SSN] MRN: [00123456|MEDICALRECORD] MR# [A12-3456|MEDICALRECORD] Chart no. [998877|MEDICALRECORD]
Medicare number: [1EG4-TE5-MK73|HEALTHPLAN] Account #: [88231145|ACCOUNT] card [4111 1111 1111 1111|ACCOUNT]
DEA# [AB1234563|LICENSE], VIN [1HGCM82633A004352|VEHICLE], serial number [SN-99812A|DEVICE],
accession # [S19-22871|IDNUM]
Lives at [12 Oak Street, Apt 4B|STREET], [Boston|CITY], [MA|STATE] [02139-4301|ZIP], born in
[Salem|CITY], [Oregon|STATE].
Transferred from [Mercy General Hospital|HOSPITAL] to [St. Mary's Medical Center|HOSPITAL] in [Canada|COUNTRY].
Dr. [Sung-Ho Bae|DOCTOR] and Mrs. [Okonkwo-Reyes|PATIENT] spoke. Mr. and Mrs. [O'Neil|PATIENT]'s
son; MR. [SMITH|PATIENT] WAS SEEN.
Electronically signed by [Ana B. Gomez|DOCTOR], MD
Patient: [NAKASHIMA, HANA|PATIENT]
Shots by [K. Dunleavy|DOCTOR] RN. Goals set with [Lindsey Obermeyer|DOCTOR] OTR/L
Nombre: [Pedro|PATIENT].
Apellidos: [De Miguel Rivera|PATIENT].
NHC: [2569870|MEDICALRECORD].
NASS: [36 73914652 36|SSN].
Domicilio: [Calle Carmen Romero, 23, 1D|STREET].
Localidad/ Provincia: [Madrid|CITY].
CP: [28035|ZIP].
Fecha de nacimiento: [10/10/1963|DATE].
Edad: [53 años|AGE] Sexo: H.
Médico: [Estefanía Romero Selas|DOCTOR]  NºCol: [28 28 20943|LICENSE].
Varón de [71 años|AGE] que ingresó en [octubre de 2006|DATE]; niña de [tres años y diez meses|AGE] de edad.
Remitido por: Dra. [Rosa Gil|DOCTOR]. [Hospital Universitario La Paz|HOSPITAL].
[C/ Topolinos, 14|STREET]. [46009|ZIP] [Valencia|CITY]. Tel.: [967 597 100|PHONE]
DNI: [12345678Z|IDNUM], [12345678Z|IDNUM] en el archivo.
Date:[03/04/2014|DATE] DOS:[3/4/14|DATE] D:[03/04/2014|DATE] T:[2014-03-05|DATE] at [03/06/2014|DATE]T10:00
Stay [3/4/14|DATE]-[3/6/14|DATE]; [march 4, 2014|DATE]; [04MAR2014|DATE]; born [1922|DATE]
Dr. [de la Cruz|DOCTOR], Dr. [van der Berg|DOCTOR], (Drs. [Smith|DOCTOR], [Jones|DOCTOR], and [Brown|DOCTOR])
MRN ([1234567|MEDICALRECORD]), MRN-[7654321|MEDICALRECORD], Medical Record Number (MRN): [9988776|MEDICALRECORD]
[617-555-1212|PHONE] [617-555-1213|PHONE] from 10am, [617-555-1214|PHONE] 24h, [617-5551215|PHONE], ph: [555-1216|PHONE]
Mail [o'neil@mayo.org|EMAIL]; Age/Sex: [92|AGE]/F, aged [92.5|AGE] years, turned [93|AGE] last week.
Dr. [Israel Cohen|DOCTOR] saw Mrs. [France|PATIENT] and Dr. [Ireland|DOCTOR], who comes from [Kenya|COUNTRY].
[Houston|CITY], [Texas Children's Hospital|HOSPITAL]
""".strip().splitlines()

# Eponyms, vital signs, doses, scores, laboratory values, durations: nothing of these is anybody's.
NOTHING = """
BP 120/80, HR 72, T 98.6F, RR 16, sat 97% RA. Wt 70.5 kg. Temp 101 F.
Strength 5/5 bilaterally, 2/6 systolic murmur, pain 3/10, MoCA 27/30, 3/19 nodes positive.
Parkinson disease, Foley catheter, Babinski absent, Hodgkin lymphoma, Crohn's, Bell's palsy, Doppler, Swan-Ganz.
Take lisinopril 20 mg daily, may 2 tablets be taken? Sinemet 25/100 half tab tid. Insulin 10-12 units.
Na 140, K 4.2, Cr 1.2, WBC 12.4, Hgb 9.8, INR 2.0-3.0, glucose 100-125, CD4 1200, PSA 7.2, A1c 7.4.
For 7 years she has had pain; 10 year history of gout; 5 yr survival; follow up in 2 weeks; every 4-6 hours.
L4-L5 disc, T12 fracture, C5/C6, S1 S2, HbA1c, 18F-FDG, 25-OH, Gleason 3+4=7, stage IIIb (T3N0M0).
The hospital course was long. Pain Clinic and Heart Failure Clinic follow up. Outpatient Clinic visit.
Discussed with MD on call. Notified MD. PT and OT consulted. Pt is 80 kg. He is 15 minutes late. Pulse is 88.
Version 2.0.1, ratio 1:2:3, lot 5, page 2 of 3, 2000 mg, in 2000 patients, of 1999 cells, room air.
She ate Turkey and met a Guinea pig; Chinese food. MS diagnosed; MR imaging; Will follow. Don catheter.
Paciente sin antecedentes; hace 5 años; 23 años antes; 20 kg de peso; TA 120/80; de 5 años de evolución.
Se administran 2.400 cGy; masa de 10x10 cms; Gleason 3+3; enfermedad de Parkinson; sonda de Foley; signo de Murphy.
1 Chest CT, units IN 10000, platelets OK 25000, order: 2000 mg, on 1/2 tablet, on 10/12 occasions, since 2/6 systolic.
Patient: Denies pain. 10-12-14-16, 1.2.3, 10:30/5/14, turned 90 degrees
3 cm mass; 4 x 5 x 6 cm; EF 55-60%; G2P2; 28w4d; 1-2 drinks; ASA 81; class II; grade 2; 10 cc; q6h prn.
""".strip().splitlines()


def marked(line: str) -> tuple[str, list[tuple[str, str, int]]]:
    """A text and its marked identifiers as (text, type, start)."""
    text, found = "", []
    for i, part in enumerate(line.replace("[", "\0[").replace("]", "]\0").split("\0")):
        if i % 2 and part.startswith("["):
            identifier, label = part[1:-1].rsplit("|", 1)
            found.append((identifier, label, len(text)))
            text += identifier
        else:
            text += part
    return text, found


@pytest.mark.parametrize("line", FOUND)
def test_what_is_marked_is_found_and_nothing_else(line):
    text, expected = marked(line)
    assert [(text[s.start : s.end], s.label, s.start) for s in find(text)] == expected


def test_lines_that_end_as_on_windows_hold_the_same():
    lines = [marked(line)[0] for line in FOUND]
    unix, windows = "\n".join(lines), "\r\n".join(lines)
    expected = [(unix[s.start : s.end], s.label) for s in find(unix)]
    assert [(windows[s.start : s.end], s.label) for s in find(windows)] == expected


@pytest.mark.parametrize("line", NOTHING)
def test_medicine_is_left_alone(line):
    assert [(line[s.start : s.end], s.label) for s in find(line)] == []


def test_every_rule_is_named_once_and_finds_types_of_the_vocabulary():
    from pathlib import Path

    import yaml

    shipped = yaml.safe_load((Path(__file__).parents[2] / "conf/labels/i2b2_2014.yaml").read_text("utf-8"))
    assert set(TYPES) <= set(shipped["types"])
    assert len({rule.name for rule in RULES}) == len(RULES)


@given(st.text(alphabet="aA1 .,-/:@()#Ññ\n", max_size=200))
def test_spans_lie_in_the_text_and_do_not_overlap(text):
    spans = find(text)
    assert all(0 <= s.start < s.end <= len(text) and text[s.start : s.end].strip() for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


HOSTILE = ("1", "a", "A", "Aa", "Aa ", "A. ", "A-", "1-", "12 ", "a.", "a@a.", "Dr. ", "A MD ", "MD ", "MRN ", " ",
           "\n", "name:   ", ":", "ab:", "(1) ", "12 Aa St ", "Hospital de ", "Calle Aa ", "May ", "5 de mayo de ",
           "2012 ",
           "uno y ", "O'", '"', "\nDomicilio: a", "phone 1 1 1 ", "12345 Aa ", "www.", "https://a..",
           "fax (1")  # fmt: skip


@pytest.mark.parametrize("length", (1_000_000, pytest.param(10_000_000, marks=pytest.mark.slow)))
def test_hostile_text_takes_time_in_proportion_to_its_length(length):
    text = "".join(piece * (length // len(HOSTILE) // len(piece)) for piece in HOSTILE)
    assert len(text) > 0.99 * length
    started = time.process_time()
    find(text)
    # About 2 s a megabyte where this was written; one quadratic pattern would take hours.
    assert time.process_time() - started < 15e-6 * length


@pytest.mark.parametrize("piece", ("A MD ", "Dr. ", "Aa ", "1-", "www."))
def test_twice_the_text_takes_about_twice_the_time(piece):
    def seconds(length: int) -> float:
        text, runs = piece * (length // len(piece)), []
        for _ in range(3):
            started = time.process_time()
            find(text)
            runs.append(time.process_time() - started)
        return min(runs)

    assert seconds(40_000) < 4 * seconds(20_000) + 0.05


@pytest.mark.parametrize(
    "text", ["Dr. García López saw Sra. Muñoz on 3/4/2014.", "Visto el 3 de marzo de 2014 por el Dr. Núñez."]
)
def test_letters_written_as_a_letter_and_a_mark_are_letters(text):
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    shown = [(unicodedata.normalize("NFC", apart[s.start : s.end]), s.label) for s in find(apart)]
    assert shown == [(text[s.start : s.end], s.label) for s in find(text)] != []
