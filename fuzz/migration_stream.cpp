// The stream parser on hostile bytes. The first byte chooses how they are cut into chunks.
#include "memory/image.h"
#include "memory/stream.h"

#include <cstdint>
#include <cstdlib>
#include <domsnap/error.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace domsnap::memory;
    if (size == 0) return 0;
    const size_t chunk = data[0] == 0 ? 1 << 20 : size_t{data[0]} * 37;
    TextSource source({reinterpret_cast<const char*>(data) + 1, size - 1}, chunk);
    StreamParser parser(source);
    uint64_t sum = 0;
    try {
        for (auto event = parser.next(); event != StreamParser::Event::end; event = parser.next())
            for (const PageRecord& page : parser.pages()) {
                if (page.block >= parser.blocks().size() || page.offset >= parser.blocks()[page.block].length)
                    std::abort();
                if (page.data)
                    sum += page.data[0] + page.data[page_size - 1]; // the sanitizer looks at the bounds
            }
        if (parser.bytes() != size - 1) std::abort();
    } catch (const domsnap::Error&) {
        // Refused, as most inputs are.
    }
    return sum == ~uint64_t{0} ? 1 : 0;
}
