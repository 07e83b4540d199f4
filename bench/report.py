# SPDX-License-Identifier: BSD-3-Clause
"""Rows of results: kept, shown as a table, written as JSON."""
import json
import os

LOWER, HIGHER = "lower", "higher"  # which is better


class Results:
    def __init__(self, platform):
        self.rows, self.failures, self.platform = [], [], platform

    def add(self, name, unit, ours, peer, peer_value, runs, cpus, better=LOWER, platform=None):
        """`ratio` says how many times better ours is: peer / ours where lower is better, ours / peer where higher is."""
        ratio = None
        if ours and peer_value:
            ratio = peer_value / ours if better == LOWER else ours / peer_value
        self.rows.append({"name": name, "unit": unit, "ours": ours, "peer": peer, "peer_value": peer_value,
                          "ratio": ratio and round(ratio, 3), "runs": runs, "cpus": cpus, "platform": platform or self.platform})

    def failed(self, what):
        self.failures.append(what)

    def write(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.rows, file, indent=1)
            file.write("\n")

    def table(self):
        cells = [("what", "CPUs", "unit", "Tutti", "peer", "peer's", "times better", "runs")]
        for row in self.rows:
            cells.append((row["name"], str(row["cpus"]), row["unit"], _figure(row["ours"]), row["peer"] or "-",
                          _figure(row["peer_value"]), f"{row['ratio']:.2f}" if row["ratio"] else "-", str(row["runs"])))
        widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
        left = (0, 2, 4)
        text = ""
        for number, line in enumerate(cells):
            text += "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip() + "\n"
            if number == 0:
                text += "-" * (sum(widths) + 2 * len(widths) - 2) + "\n"
        for failure in self.failures:
            text += f"failed: {failure}\n"
        return text


def _figure(value):
    if value is None:
        return "-"
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.1f}"
