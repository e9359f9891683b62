"""The encoder is counted by a PIO state machine: no edge is lost while the processor judges a sample.

At 40 mm/s an edge comes every 62 us, and one conversion's work takes milliseconds: counting by pin interrupts would
lose edges, or eat the time of the loop. Each edge of A counts, up or down by what B is then; a drum that trembles
around an edge counts it back and forth. X is the count, and is whole at every moment; Y is for counting up, which the
state machine can only do by counting its complement down.
"""
# ruff: noqa: F821  # the names within the program are the assembler's own

import rp2


@rp2.asm_pio()
def quadrature():
    wrap_target()
    wait(1, pin, 0)
    jmp(pin, "rose_backward")
    mov(y, invert(x))
    jmp(y_dec, "rose_forward")
    label("rose_forward")
    mov(x, invert(y))
    jmp("high")
    label("rose_backward")
    jmp(x_dec, "high")
    label("high")
    wait(0, pin, 0)
    jmp(pin, "fell_forward")
    jmp(x_dec, "fell_backward")
    label("fell_backward")
    jmp("low")
    label("fell_forward")
    mov(y, invert(x))
    jmp(y_dec, "fallen")
    label("fallen")
    mov(x, invert(y))
    label("low")
    wrap()
