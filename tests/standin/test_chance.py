# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Random programs: what is seen of each is what its driver says, event by event and to the byte."""

from support import chance


def test_a_random_program_is_seen_as_it_is(standin, seed):
    script, status = chance.script(seed, standin.generation)
    standin.trace(script, status=status)


def test_a_long_random_program_is_seen_as_it_is(gen3, seed):
    script, status = chance.script(seed, gen3.generation, steps=600)
    gen3.trace(script, status=status)


def test_perf_events_see_a_random_program_as_it_is(gen3, seed):
    script, status = chance.script(seed, gen3.generation)
    gen3.trace(script, ["--perf-events"], status=status)
