# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What the tests of the whole program share.

  processes   what a test starts, and how all of it is ended
  tttrace     runs of tttrace: its events, its summary, its words, its status
  schema      the output contract of design.md, line by line
  replay      what the events say is held, at any time
  runtime     the real runtime and the programs that are traced on it
  chance      random scripts for the stand-in
  crowd       the program under a trace of many lives
  kernel      what is left of our probes in the kernel
"""
