"""The rows of bars: faults, what each seat was, where each Service led, whom each Sentinel named, harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from harness.report.figure.frame import INK, LOOKS, PAPER, Frame, Rows, Trace, bars, words
from harness.report.harm import harms, rows
from harness.report.record import DrillRecord

BAR, THIN = 0.78, 0.62
FAULT = ("var(--fault)", "", "var(--fault)", PAPER)


class _Piece(NamedTuple):
    """One bar to be drawn."""

    y: float
    start: float
    end: float
    text: str
    hover: str


def faults(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield one row per fault: the bracket of its command, until it was felt, until it was healed."""
    for number, fault in enumerate(record.faults):
        y = into.add("fault" if number == 0 else "")
        begin, end = frame.x(fault.injected_at), frame.end(fault.healed_at)
        effect = end if fault.effect_at is None else frame.x(fault.effect_at)
        healed = "never healed" if fault.healed_at is None else f"healed at {end:+.2f} s"
        felt = "its effect was never seen" if fault.effect_at is None else f"felt at {effect:+.3f} s"
        sent = "" if fault.returned_at is None else f"command answered at {frame.x(fault.returned_at):+.3f} s<br>"
        hover = f"<b>{escape(fault.name)}</b> {escape(fault.target)}<br>{sent}{felt}<br>{healed}"
        yield _trace("fault", "faults", [_Piece(y, begin, end, "", hover)], FAULT, first=number == 0)
        if effect > begin:
            waiting = [_Piece(y, begin, effect, "", f"{hover}<br>sent, not yet felt")]
            yield _trace("not yet felt", "faults", waiting, (PAPER, "/", "var(--fault)", INK), first=False)
        short = f"{fault.name} ({fault.target})"
        full = f"{short}, {healed}"
        if frame.fits(short, effect, end):
            label = full if frame.fits(full, effect, end) else short
            yield words("faults", [(frame.shown(effect), y, label, "right")], PAPER)
        else:
            yield _label(_Piece(y, begin, end, full, hover), frame, "faults", PAPER)


def _label(piece: _Piece, frame: Frame, group: str, colour: str) -> Trace:
    """Return a bar's words: in it, or where they have no room there, after it, before it or over everything."""
    y, begin, end, label, _ = piece
    if frame.fits(label, begin, end):
        return words(group, [(frame.shown(begin), y, label, "right")], colour)
    if frame.fits(label, end, frame.axis.end):
        return words(group, [(end, y, label, "right")], INK)
    if frame.fits(label, frame.axis.start, begin):
        return words(group, [(begin, y, label, "left")], INK)
    return words(group, [(frame.shown(begin), y, label, "right")], INK)


def roles(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield what each seat said it was, one trace per role: colour, pattern and word say the same."""
    found: dict[str, list[_Piece]] = defaultdict(list)
    for seat, spans in sorted(record.roles.items()):
        y = into.add(seat)
        for span in spans:
            begin, end = frame.x(span.start), frame.x(span.end)
            hover = f"<b>{escape(seat)} {escape(span.role)}</b><br>{begin:+.3f} s to {end:+.3f} s"
            found[span.role].append(_Piece(y, begin, end, span.role, hover))
    for role in sorted(found, key=lambda role: (list(LOOKS).index(role) if role in LOOKS else len(LOOKS), role)):
        yield from _labelled(role, f"role {role}", found[role], frame, LOOKS.get(role, LOOKS["other"]))


def services(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield where a new connection through each Service led; the colour is that of the role it met."""
    first = True
    for service, spans in sorted(record.services.items()):
        y = into.add(f"Service {service}")
        by_role: dict[str, list[_Piece]] = defaultdict(list)
        for span in spans:
            begin, end = frame.x(span.start), frame.x(span.end)
            leads = f"→ {span.seat or 'nowhere'}"
            hover = f"<b>Service {escape(service)} {escape(leads)}</b> {escape(span.role)}"
            hover += f"<br>{begin:+.3f} s to {end:+.3f} s"
            by_role[span.role if span.seat else "unreachable"].append(_Piece(y, begin, end, leads, hover))
        for role, pieces in by_role.items():
            look = LOOKS.get(role, LOOKS["other"])
            yield from _labelled("Service target", "services", pieces, frame, look, first=first)
            first = False


def views(record: DrillRecord, frame: Frame, at: Mapping[str, float]) -> Iterator[Trace]:
    """Yield whom each Sentinel named, as a thin bar in the Sentinel's row; hatched while it holds it for down."""
    named: dict[bool, list[_Piece]] = defaultdict(list)
    for sentinel, spans in sorted(record.views.items()):
        for span in spans:
            begin, end = frame.x(span.start), frame.x(span.end)
            doubt = "down" in span.flags or span.primary is None
            said = f"names {span.primary}" if span.primary else "does not answer"
            said += " (down)" if "down" in span.flags else ""
            hover = f"<b>{escape(sentinel)} {escape(said)}</b><br>flags: {escape(span.flags) or '-'}"
            hover += f"<br>{begin:+.3f} s to {end:+.3f} s"
            named[doubt].append(_Piece(at[sentinel] - 0.55, begin, end, said, hover))
    looks = {False: ("var(--view)", "", "var(--view)", INK), True: ("var(--unsure-soft)", "/", "var(--gone)", INK)}
    for number, (doubt, pieces) in enumerate(sorted(named.items())):
        yield from _labelled("Sentinel's view", "views", pieces, frame, looks[doubt], first=number == 0, width=THIN)


def harm(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield split brain, losses and TILT, a row for each kind."""
    at = {row: into.add(row) for row in rows(record)}
    looks = {
        "overlap": ("two primaries", ("var(--fail)", "/", PAPER, PAPER)),
        "loss": ("acknowledged writes lost", ("var(--fail)", "", "var(--fail)", PAPER)),
        "tilt": ("TILT", ("var(--other)", "/", "var(--on-other)", "var(--on-other)")),
    }
    for kind, (name, look) in looks.items():
        pieces = [
            _Piece(at[one.row], frame.x(one.start), frame.end(one.end), one.words, escape(one.telling))
            for one in harms(record)
            if one.kind == kind
        ]
        if pieces:
            yield _trace(name, kind, pieces, look)
        for piece in pieces:
            yield _label(piece, frame, kind, look[3])


def _labelled(
    name: str,
    group: str,
    pieces: Sequence[_Piece],
    frame: Frame,
    look: tuple[str, str, str, str],
    *,
    first: bool = True,
    width: float = BAR,
) -> Iterator[Trace]:
    """Yield bars and the words in those that have room for them."""
    yield _trace(name, group, pieces, look, first=first, width=width)
    room = [piece for piece in pieces if frame.fits(piece.text, piece.start, piece.end)]
    if room:
        yield words(group, [(frame.shown(piece.start), piece.y, piece.text, "right") for piece in room], look[3])


def _trace(
    name: str,
    group: str,
    pieces: Sequence[_Piece],
    look: tuple[str, str, str, str],
    *,
    first: bool = True,
    width: float = BAR,
) -> Trace:
    fill, pattern, ink, _ = look
    trace = bars(
        name,
        group,
        [piece.y for piece in pieces],
        [piece.start for piece in pieces],
        [piece.end for piece in pieces],
        customdata=[piece.hover for piece in pieces],
        hovertemplate="%{customdata}<extra></extra>",
        width=width,
        showlegend=first,
        marker={"color": fill, "line": {"color": ink if pattern else PAPER, "width": 1}},
    )
    if pattern:
        trace["marker"]["pattern"] = {
            "shape": pattern, "fgcolor": ink, "bgcolor": fill, "size": 10, "solidity": 0.08,
        }  # fmt: skip
    return trace
