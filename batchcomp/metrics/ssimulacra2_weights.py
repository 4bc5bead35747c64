"""Numbers of SSIMULACRA2 (Sneyers 2022, github.com/cloudinary/ssimulacra2) that all its implementations share."""

from __future__ import annotations

SCALES = 5  # the sixth has no weight worth computing
C2 = 0.0009
TO_LMS = ((0.30, 0.622, 0.078), (0.23, 0.692, 0.078), (0.24342268924547819, 0.20476744424496821, 0.55180986650955360))
BIAS = 0.0037930732552754493
X, Y, B = range(3)

# Weights of (structure, new edges, lost edges), each of the mean and of the fourth-power mean, by (scale, channel).
# Those below 0.2 are left out: scores of photos are then within 0.03 of the whole sum's.
WEIGHTS: dict[tuple[int, int], tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    (0, Y): ((0, 7.466890328078848), (0, 0), (0, 17.445833984131262)),
    (1, X): ((0, 1.1041726426657346), (0, 0), (0, 0)),
    (1, Y): ((0, 6.683678146179332), (0, 0), (0, 1.027889937768264)),
    (2, X): ((0, 1.8422455520539298), (0, 11.441172603757666), (0, 0)),
    (2, Y): ((225.20515300849274, 19.213238186143016), (0, 0), (0, 0)),
    (3, X): ((0, 1.8787594979546387), (0, 10.94906990605142), (0, 0)),
    (3, Y): ((176.39317598450694, 24.43300999870476), (0, 0.28520802612117757), (0, 0)),
    (3, B): ((0, 8.826982764996862), (0, 23.19243343998926), (0, 0)),
    (4, X): ((0, 0), (0.9677937080626833, 0.9981766977854967), (0, 0)),
    (4, Y): ((0, 34.77906344483772), (0, 44.835625328877896), (0, 0)),
    (4, B): (
        (95.1080498811086, 0),
        (0.9863978034400682, 171.2667255897307),
        (0.9834382792465353, 0.9807858872435379),
    ),
}


def score_of(distance: float) -> float:
    """Return the score, 100 for equal pictures, of the weighted sum of errors."""
    d = 0.9562382616834844 * distance
    d = 2.326765642916932 * d - 0.020884521182843837 * d**2 + 6.248496625763138e-05 * d**3
    return float(100 - 10 * max(d, 0.0) ** 0.6276336467831387)
