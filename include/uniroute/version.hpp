#pragma once

/// The version of uniroute, MAJOR * 10000 + MINOR * 100 + PATCH.
/// `CMakeLists.txt` reads its own number from here, so the two cannot part.
#define UNIROUTE_VERSION 100
#define UNIROUTE_VERSION_STRING "0.1.0"
