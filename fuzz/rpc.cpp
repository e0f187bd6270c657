// A peer's bytes all the way through: frames, headers, arguments, handlers. The connection is read-only and
// the host's folders cannot exist, so nothing happens but the reading. Run: fuzz_rpc corpus/rpc
#include "rpc/client.h"

#include <cstddef>
#include <cstdint>

namespace {

struct Nowhere : domsnap::rpc::Outlet {
    void send(std::string) override {}
    bool wait_for_room() override { return true; }
    void read_on() override {}
};

void talk(std::string_view bytes) {
    using namespace domsnap::rpc;
    Service service{domsnap::Host({"/proc/none/state", "/proc/none/run"})};
    Client client(service, std::make_shared<Nowhere>(), "client", true);
    client.open("domsnap:///system", true);
    FrameReader frames;
    frames.add(bytes);
    while (auto frame = frames.next(client.frame_limit()))
        if (client.receive(*frame)) client.work(*frame);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        talk({reinterpret_cast<const char*>(data), size});
    } catch (const domsnap::rpc::Malformed&) {
        // The peer is cut off.
    }
    return 0;
}
