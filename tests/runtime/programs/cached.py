# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Operations whose programs hold memory of their own, as long as they are in the program cache."""

import ttnn

CHANNELS = 64


def convolve(device, size):
    """Halo and convolution keep tables of where to read from in L1_SMALL. The program keeps nothing."""
    weight = ttnn.Tensor([0.5] * (CHANNELS * CHANNELS * 9), [CHANNELS, CHANNELS, 3, 3], ttnn.bfloat16,
                         ttnn.ROW_MAJOR_LAYOUT)
    x = ttnn.empty((1, 1, size * size, CHANNELS), dtype=ttnn.bfloat16, layout=ttnn.ROW_MAJOR_LAYOUT, device=device)
    y = ttnn.conv2d(input_tensor=x, weight_tensor=weight, in_channels=CHANNELS, out_channels=CHANNELS,
                    device=device, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), batch_size=1,
                    input_height=size, input_width=size, dtype=ttnn.bfloat16)
    ttnn.deallocate(y[0] if isinstance(y, (tuple, list)) else y)
    ttnn.deallocate(x)


def gather(device, depth):
    """Collectives keep semaphores in L1, a set for each shape. The program keeps nothing."""
    x = ttnn.empty((1, depth, 32, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device)
    ttnn.deallocate(ttnn.all_gather(x, dim=3))
    ttnn.deallocate(x)
