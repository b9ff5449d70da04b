// A C target of the Swift package manager has at least one source. The functions are in the engine's library.
#include "TrailmarkC.h"
