#include "memory/changed_words.h"

#include "os/socket.h"

#include <domsnap/error.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

static constexpr size_t longest_line = 1 << 20; // 256 blocks with names of 255 bytes

std::string to_line(const ChangedSource& source) {
    json blocks = json::array();
    for (const auto& block : source.blocks)
        blocks.push_back({{"name", block.name}, {"length", block.length}, {"address", block.address}});
    const json object{{"whole", source.whole},
                      {"pid", source.process.pid},
                      {"start", source.process.start_ticks},
                      {"blocks", blocks}};
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

ChangedSource source_from_line(std::string_view line) {
    try {
        const json object = json::parse(line);
        ChangedSource source{object.at("whole"), {object.at("pid"), object.at("start")}, {}};
        for (const json& block : object.at("blocks"))
            source.blocks.push_back({block.at("name"), block.at("length"), block.at("address")});
        return source;
    } catch (const json::exception& error) {
        throw Error(ErrorCode::corrupt,
                    std::string("the capture was not told what to copy: ") + error.what());
    }
}

bool SocketReader::read_more() {
    const std::string more = os::read_some(socket_, 1 << 20);
    unread_ += more;
    return !more.empty();
}

std::optional<std::string> SocketReader::line(Deadline deadline) {
    for (;;) {
        if (const size_t end = unread_.find('\n'); end != std::string::npos) {
            std::string line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return line;
        }
        if (unread_.size() > longest_line) throw Error(ErrorCode::corrupt, "a line without an end");
        if (!os::wait_readable(socket_, deadline))
            throw Error(ErrorCode::timed_out, "the capture of the memory does not answer");
        if (!read_more()) return std::nullopt;
    }
}

std::string SocketReader::bytes(size_t size) {
    while (unread_.size() < size)
        if (!read_more())
            throw Error(ErrorCode::io, "whoever took the snapshot has gone before it was whole");
    std::string taken = unread_.substr(0, size);
    unread_.erase(0, size);
    return taken;
}

} // namespace domsnap::memory
