#include "qmp/client.h"

#include "base/error.h"
#include "os/file.h"
#include "os/socket.h"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {

namespace {

// A guest that rings a bell in a loop (RTC_CHANGE, NIC_RX_FILTER_CHANGED) must not fill our memory; QEMU
// limits the rate of most of its events to one a second itself.
constexpr size_t most_kept_events = 65'536;

// The answers to a client that died come to the next one (qemu 7.2 and 10.0), so no two may use the same ids.
std::string fresh_prefix() {
    std::string prefix = "domsnap-";
    for (const char byte : os::random_bytes(8))
        prefix += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return prefix;
}

Error nobody_greets(const std::string& name) {
    return {ErrorCode::timed_out, fmt::format("the QEMU monitor {} did not greet us", name),
            "QEMU serves one client at a time on each monitor: another program holds it, or QEMU hangs."};
}

/// QEMU listens with a queue of one: a third client is not even let wait at the door.
os::Fd open_socket(const std::string& path, Deadline deadline) {
    try {
        return os::connect_unix(path, deadline);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::timed_out) throw nobody_greets(path);
        throw;
    }
}

Json request(const char* verb, const std::string& command, const Json& arguments) {
    Json message{{verb, command}};
    if (!arguments.is_null()) message["arguments"] = arguments;
    return message;
}

} // namespace

struct Client::State {
    os::Fd socket;
    std::string name; ///< the socket's path, for messages
    LineFramer framer;
    std::deque<Event> events;
    std::string version;
    bool out_of_band = false;
    std::string id_prefix = fresh_prefix();
    uint64_t commands = 0;

    Error gone(const std::string& doing) const {
        return {ErrorCode::io,
                fmt::format("QEMU closed its monitor {} while {}: it has ended or was killed", name, doing),
                "Its log file may say why."};
    }

    void keep(Event event) {
        if (events.size() == most_kept_events) events.pop_front();
        events.push_back(std::move(event));
    }

    /// Everything that is there to read, without waiting for more.
    void read_available(const std::string& doing) {
        constexpr size_t piece = 64 << 10;
        std::string bytes;
        try {
            bytes = os::read_some(socket.get(), piece);
        } catch (const Error&) { // ECONNRESET: killed with our bytes unread
        }
        if (bytes.empty()) throw gone(doing);
        framer.feed(bytes);
    }

    /// The next message that is no event (those are kept), or nothing when no whole one has been read.
    std::optional<Json> next_framed() {
        while (const auto line = framer.next()) {
            Json message = decode(*line);
            if (kind_of(message) != MessageKind::event) return message;
            keep(to_event(message));
        }
        return std::nullopt;
    }

    std::optional<Json> next_message(const std::string& doing, Deadline deadline) {
        for (;;) {
            if (auto message = next_framed()) return message;
            if (!os::wait_readable(socket.get(), deadline)) return std::nullopt;
            read_available(doing);
        }
    }

    Json greeting(Deadline deadline) {
        while (const auto message = next_message("being greeted", deadline))
            if (kind_of(*message) == MessageKind::greeting) return *message;
        throw nobody_greets(name);
    }

    void send(const std::string& line, const std::string& doing, int fd) {
        try {
            os::send_with_fd(socket, line, fd);
        } catch (const Error&) {
            throw gone(doing);
        }
    }

    Json answer_to(Json message, const std::string& what, Deadline deadline, int fd) {
        const std::string doing = fmt::format("it was asked for '{}'", what);
        if (deadline.passed())
            throw Error(ErrorCode::timed_out, fmt::format("no time was left to ask QEMU for '{}'", what));
        const std::string id = fmt::format("{}-{}", id_prefix, ++commands);
        message["id"] = id;
        send(encode(message), doing, fd);
        while (auto answer = next_message(doing, deadline))
            if (id_of(*answer) == id) return *std::move(answer);
        throw Error(ErrorCode::outcome_unknown, fmt::format("QEMU did not answer '{}' in time", what),
                    "QEMU is busy or hangs; what became of the command is not known.");
    }

    Json result_of(const Json& message, const std::string& what, Deadline deadline, int fd) {
        Json answer = answer_to(message, what, deadline, fd);
        if (kind_of(answer) == MessageKind::failure)
            throw Error(ErrorCode::refused_by_qemu,
                        fmt::format("QEMU refused '{}': {}", what, words_of(answer)));
        return std::move(answer["return"]);
    }

    void negotiate(Deadline deadline) {
        const Json greeted = greeting(deadline);
        version = version_of(greeted);
        out_of_band = offers_out_of_band(greeted);
        const Json enable = out_of_band ? Json{{"enable", {"oob"}}} : Json();
        result_of(request("execute", "qmp_capabilities", enable), "qmp_capabilities", deadline, -1);
    }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Client Client::connect(const std::string& socket_path, Deadline deadline) {
    auto state = std::make_unique<State>();
    state->name = socket_path;
    state->socket = open_socket(socket_path, deadline);
    state->negotiate(deadline);
    return Client(std::move(state));
}

Client Client::over(os::Fd socket, Deadline deadline) {
    auto state = std::make_unique<State>();
    state->name = "(an open socket)";
    state->socket = std::move(socket);
    state->negotiate(deadline);
    return Client(std::move(state));
}

Json Client::run(const std::string& command, const Json& arguments, Deadline deadline, int fd) {
    return state_->result_of(request("execute", command, arguments), command, deadline, fd);
}

Json Client::run(const std::string& command, Deadline deadline) { return run(command, Json(), deadline); }

Json Client::exchange(const Json& command, Deadline deadline, int fd) {
    const auto name = command.find("execute");
    const bool named = name != command.end() && name->is_string();
    Json answer = state_->answer_to(command, named ? name->get<std::string>() : "a command", deadline, fd);
    answer.erase("id");
    return answer;
}

Json Client::run_out_of_band(const std::string& command, const Json& arguments, Deadline deadline) {
    if (!state_->out_of_band)
        throw Error(
            ErrorCode::unsupported,
            fmt::format("this QEMU takes no out-of-band commands, so '{}' must wait its turn", command));
    return state_->result_of(request("exec-oob", command, arguments), command, deadline, -1);
}

std::optional<Event> Client::wait_event(const std::function<bool(const Event&)>& wanted, Deadline deadline) {
    size_t looked_at = 0;
    for (;;) {
        while (state_->next_framed()) {
        } // answers to nobody
        auto& events = state_->events;
        for (; looked_at < events.size(); ++looked_at) {
            const auto found = events.begin() + static_cast<std::ptrdiff_t>(looked_at);
            if (!wanted(*found)) continue;
            Event event = std::move(*found);
            events.erase(found);
            return event;
        }
        if (!os::wait_readable(state_->socket.get(), deadline)) return std::nullopt;
        state_->read_available("an event was awaited");
    }
}

void Client::drop_events() { take_events(); }

std::deque<Event> Client::take_events() {
    while (state_->next_framed()) {
    }
    while (os::wait_readable(state_->socket.get(), Deadline::after(std::chrono::milliseconds(0)))) {
        state_->read_available("its events were read");
        while (state_->next_framed()) {
        }
    }
    return std::exchange(state_->events, {});
}

int Client::fd() const { return state_->socket.get(); }
std::string Client::version() const { return state_->version; }

} // namespace domsnap::qmp
