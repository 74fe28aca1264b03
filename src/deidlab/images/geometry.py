"""Boxes in pixels, and the ways between a page and the picture of it that is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; edges lie between pixels, so that `right - left` is a width."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def padded(self, across: float, down: float) -> Box:
        return Box(self.left - across, self.top - down, self.right + across, self.bottom + down)

    def shared(self, other: Box) -> float:
        """The area that both have."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def corners(self) -> np.ndarray:
        """(4, 2) x and y, clockwise from the left top."""
        return np.array(
            [(self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)]
        )


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds some boxes, of which there is at least one."""
    edges = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes])
    return Box(*edges[:, :2].min(axis=0).tolist(), *edges[:, 2:].max(axis=0).tolist())


def box_of(points: np.ndarray) -> Box:
    """The smallest box that holds points, (n, 2)."""
    return Box(*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points, (n, 2), by a 3 x 3 matrix of homogeneous coordinates."""
    there = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return there[:, :2] / there[:, 2:]


def scaling(across: float, down: float) -> np.ndarray:
    return np.diag([across, down, 1.0])


def quarter_turns(turns: int, height: int, width: int) -> np.ndarray:
    """Where `np.rot90(pixels, turns)` moves the points of a picture of this height and width."""
    match turns % 4:
        case 0:
            return np.eye(3)
        case 1:
            return np.array([(0, 1, 0), (-1, 0, width), (0, 0, 1)], dtype=float)
        case 2:
            return np.array([(-1, 0, width), (0, -1, height), (0, 0, 1)], dtype=float)
        case _:
            return np.array([(0, -1, height), (1, 0, 0), (0, 0, 1)], dtype=float)


def turning(degrees: float, height: int, width: int) -> tuple[np.ndarray, int, int]:
    """The matrix that turns a picture about its middle, and the height and width that then hold all of it."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    new_width = int(np.ceil(abs(width * cos) + abs(height * sin)))
    new_height = int(np.ceil(abs(height * cos) + abs(width * sin)))
    to_middle = np.array([(1, 0, -width / 2), (0, 1, -height / 2), (0, 0, 1)])
    turn = np.array([(cos, -sin, 0), (sin, cos, 0), (0, 0, 1)])
    back = np.array([(1, 0, new_width / 2), (0, 1, new_height / 2), (0, 0, 1)])
    return back @ turn @ to_middle, new_height, new_width
