#include "agent/client.h"

#include "base/error.h"
#include "os/file.h"
#include "os/socket.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::agent {

namespace {

/// The agent puts this before an answer to guest-sync-delimited; it is in no JSON text (qemu-ga 7.2:
/// QGA_SENTINEL_BYTE). Sent, it makes the agent's parser forget half a command of somebody else's.
constexpr char delimiter = '\xff';
/// None of the answers that are asked for here has more than some hundred bytes.
constexpr size_t most_unread = 1 << 20;

Error silent() {
    return {ErrorCode::timed_out, "Guest agent is not responding: QEMU guest agent is not connected",
            "is qemu-guest-agent installed in the guest, and does it run?"};
}

uint64_t fresh_number() {
    uint64_t number = 0;
    for (const unsigned char byte : os::random_bytes(6)) // it goes through the agent as a signed integer
        number = number << 8 | byte;
    return number;
}

Json parsed(const std::string& line) {
    // A guest may answer what it likes: depth is bounded by the line's length, which is.
    return Json::parse(line, nullptr, false);
}

std::string words_of(const Json& error) {
    const auto text = error.find("desc");
    return text != error.end() && text->is_string() ? text->get<std::string>() : error.dump();
}

} // namespace

Client Client::connect(const std::string& socket_path, Deadline deadline) {
    Client client(os::connect_unix(socket_path, deadline));
    client.synchronize(deadline);
    return client;
}

void Client::fill(Deadline deadline) {
    if (unread_.size() > most_unread)
        throw Error(ErrorCode::corrupt, "Guest agent is not responding: what it sends is no answer");
    if (!os::wait_readable(socket_.get(), deadline)) throw silent();
    const auto bytes = os::read_some(socket_.get(), 4096);
    if (bytes.empty()) throw Error(ErrorCode::io, "QEMU closed the channel of the guest agent");
    unread_ += bytes;
}

std::string Client::line(Deadline deadline) {
    size_t end = 0;
    while ((end = unread_.find('\n')) == std::string::npos)
        fill(deadline);
    std::string found = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    return found;
}

void Client::synchronize(Deadline deadline) {
    const auto number = fresh_number();
    os::send_with_fd(
        socket_,
        fmt::format("{}{}\n", delimiter,
                    Json{{"execute", "guest-sync-delimited"}, {"arguments", {{"id", number}}}}.dump()),
        -1);
    for (;;) {
        size_t start = 0;
        while ((start = unread_.find(delimiter)) == std::string::npos) {
            unread_.clear(); // the end of an answer to somebody else
            fill(deadline);
        }
        unread_.erase(0, start + 1);
        if (parsed(line(deadline)) == Json{{"return", number}}) return;
    }
}

Json Client::run(const std::string& command, Deadline deadline) {
    os::send_with_fd(socket_, Json{{"execute", command}}.dump() + "\n", -1);
    const auto text = line(deadline);
    const Json answer = parsed(text);
    if (answer.is_object() && answer.contains("return")) return answer["return"];
    const bool refused = answer.is_object() && answer.contains("error") && answer["error"].is_object();
    throw Error(ErrorCode::refused_by_qemu,
                fmt::format("unable to execute QEMU agent command '{}': {}", command,
                            refused ? words_of(answer["error"]) : "the agent's answer is none"));
}

} // namespace domsnap::agent
