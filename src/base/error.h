// The rooms' way to throw the one public exception with a formatted message.
#pragma once

#include <domsnap/error.h>
