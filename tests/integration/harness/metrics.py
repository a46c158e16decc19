"""Prometheus' text format, read strictly: what its description does not allow is an AssertionError."""

import re

HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")
TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([0-9]+(?:\.[0-9]+)?)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = ("_bucket", "_sum", "_count")


def _labels(text):
    labels, position = {}, 0
    while position < len(text):
        match = LABEL.match(text, position)
        assert match, text
        assert match[1] not in labels, text
        labels[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        position = match.end()
    return labels


class Metrics:
    def __init__(self, text):
        assert text.endswith("\n")
        self.types = {}  # by family, in their order
        self.samples = {}  # by name and labels, as a sorted tuple
        family = helped = None
        for line in text[:-1].split("\n"):
            if match := HELP.fullmatch(line):
                helped = match[1]
            elif match := TYPE.fullmatch(line):
                family = match[1]
                assert family == helped and family not in self.types, line
                self.types[family] = match[2]
            else:
                self._sample(family, line)
        self._check_histograms()

    def _sample(self, family, line):
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match[1], _labels(match[2] or ""), float(match[3])
        if self.types[family] == "histogram":
            assert name in {family + suffix for suffix in SUFFIXES}, line
            assert ("le" in labels) == name.endswith("_bucket"), line
        else:
            assert name == family, line
            assert name.endswith("_total") == (self.types[family] == "counter"), line
        key = (name, tuple(sorted(labels.items())))
        assert key not in self.samples, f"twice: {line}"
        self.samples[key] = value

    def _check_histograms(self):
        for family in (name for name, kind in self.types.items() if kind == "histogram"):
            series = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    rest = dict(labels)
                    bound = float(rest.pop("le"))
                    series.setdefault(tuple(sorted(rest.items())), []).append((bound, value))
            assert series, family
            for labels, buckets in series.items():
                assert buckets == sorted(buckets), (family, labels)
                assert [v for _, v in buckets] == sorted(v for _, v in buckets), (family, labels)
                assert buckets[-1] == (float("inf"), self.samples[family + "_count", labels])
                assert (family + "_sum", labels) in self.samples

    def value(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]

    def sum(self, name, **labels):
        """Of all samples with at least these labels."""
        return sum(
            value
            for (found, having), value in self.samples.items()
            if found == name and labels.items() <= dict(having).items()
        )
