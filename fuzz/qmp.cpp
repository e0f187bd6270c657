// QMP's codec on hostile bytes. Run: fuzz_qmp corpus/qmp
#include "../tests/unit/qmp/codec_run.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    domsnap::qmp::run_codec({reinterpret_cast<const char*>(data), size});
    return 0;
}
