// Chooses OpenBLAS's kernel before OpenBLAS starts. The target has no function to call: linking it
// into a program is enough. It changes the environment of the process, so only our own programs link it, never a library.
#pragma once
