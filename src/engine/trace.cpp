#include "engine/trace.h"

#include "os/file.h"

#include <cstdlib>
#include <exception>
#include <fmt/format.h>

namespace domsnap::engine {

using FloatSeconds = std::chrono::duration<double>;
using FloatMilliseconds = std::chrono::duration<double, std::milli>;

static void append(const std::string& path, const std::string& line) {
    const auto info = os::file_info(path);
    const os::Fd file = info ? os::open_read_write(path) : os::create_exclusive(path);
    os::write_at(file.get(), line.data(), line.size(), info ? info->size : 0, path);
}

TraceStep::TraceStep(const char* step)
    : file_(std::getenv("DOMSNAP_TRACE")), step_(step), began_(std::chrono::system_clock::now()),
      started_(std::chrono::steady_clock::now()) {}

TraceStep::~TraceStep() {
    if (!file_ || !*file_) return;
    const FloatMilliseconds took = std::chrono::steady_clock::now() - started_;
    const FloatSeconds began = began_.time_since_epoch();
    try {
        append(file_, fmt::format("{:.6f} {} {:.3f}\n", began.count(), step_, took.count()));
    } catch (const std::exception&) {
    }
}

} // namespace domsnap::engine
