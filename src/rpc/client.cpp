#include "rpc/client.h"

#include "base/text.h"
#include "rpc/names.h"
#include "rpc/procedures.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

enum Keepalive { ping = 1, pong = 2 };

std::string keepalive_frame(Keepalive what) {
    Header header;
    header.program = program::keepalive;
    header.procedure = what;
    header.type = static_cast<uint32_t>(Type::message);
    return frame_text(header);
}

/// Throws what libvirt says of a procedure that a driver lacks. The client's library turns an unknown number
/// into the same, but only by these words.
const Procedure& require_procedure(const Header& header) {
    if (header.program != program::remote && header.program != program::qemu)
        throw Refusal(Code::rpc, Area::rpc,
                      fmt::format("Cannot find program {} version {}", header.program, header.version));
    if (header.version != 1)
        throw Refusal(Code::rpc, Area::rpc,
                      fmt::format("program {:#x} has version 1, not {}", header.program, header.version));
    if (const auto* procedure = find_procedure(header.program, header.procedure)) return *procedure;
    const auto name = header.program == program::remote ? procedure_name(header.procedure) : "";
    if (name.empty())
        throw Refusal(Code::rpc, Area::rpc, fmt::format("unknown procedure: {}", header.procedure));
    throw Refusal(
        Code::no_support, Area::qemu,
        fmt::format("this function is not supported by the connection driver: {}", function_name(name)));
}

void check_access(const Client& client, const Procedure& procedure) {
    if (procedure.access == Access::before_open) return;
    if (!client.is_open())
        throw Refusal(Code::internal_error, Area::rpc, "internal error: connection not open");
    if (procedure.access == Access::write && client.read_only())
        throw Refusal(Code::operation_denied, Area::qemu,
                      fmt::format("operation {} forbidden for read only access", procedure.name));
}

using Clock = std::chrono::steady_clock;

int64_t milliseconds_since(Clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count();
}

} // namespace

std::string ping_frame() { return keepalive_frame(ping); }

Client::Client(Service& service, std::shared_ptr<Outlet> outlet, std::string name, bool read_only)
    : service_(service), outlet_(std::move(outlet)), name_(std::move(name)), read_only_(read_only) {}

Client::~Client() {
    service_.subscribers.remove_all(outlet_);
    end_streams();
}

bool Client::is_full() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(streams_.begin(), streams_.end(),
                       [](const auto& one) { return one.second->is_full(); });
}

void Client::end_streams() {
    const std::lock_guard lock(mutex_);
    for (const auto& [serial, stream] : streams_)
        stream->end();
}

void Client::open(std::string uri, bool read_only) {
    const std::lock_guard lock(mutex_);
    uri_ = std::move(uri);
    if (read_only) read_only_ = true; // what came over the read-only socket stays so
    open_ = true;
}

std::string Client::uri() const {
    const std::lock_guard lock(mutex_);
    return uri_;
}

void Client::add_stream(uint32_t serial, std::shared_ptr<Stream> stream) {
    const std::lock_guard lock(mutex_);
    if (streams_.size() >= 16)
        throw Refusal(Code::operation_failed, Area::streams,
                      "operation failed: this connection has 16 streams open already");
    if (!streams_.emplace(serial, std::move(stream)).second)
        throw Malformed("two streams have one serial number");
}

bool Client::receive(Frame& frame) {
    if (frame.header.program == program::keepalive) {
        if (frame.header.procedure == ping) outlet_->send(keepalive_frame(pong));
        return false;
    }
    if (frame.header.is(Type::stream) || frame.header.is(Type::stream_hole)) {
        stream_packet(frame);
        return false;
    }
    if (!frame.header.is(Type::call)) throw Malformed("a message is of a type that no client sends here");
    return true;
}

void Client::stream_packet(const Frame& frame) {
    std::shared_ptr<Stream> stream;
    {
        const std::lock_guard lock(mutex_);
        const auto found = streams_.find(frame.header.serial);
        if (found == streams_.end()) return; // it crossed the stream's end on the way
        stream = found->second;
        if (!frame.header.is(Status::more)) streams_.erase(found);
    }
    if (frame.header.is(Type::stream_hole)) return stream->take_hole(decode<StreamHole>(frame.payload).size);
    if (frame.header.is(Status::more)) return stream->take(frame.payload);
    if (!stream->finish(!frame.header.is(Status::ok))) return;
    outlet_->send(frame_text(frame.header.answered(Type::stream, Status::ok)));
}

void Client::answer(const Frame& call, Status status, std::string_view payload) {
    outlet_->send(frame_text(call.header.answered(Type::reply, status), payload));
}

void Client::refuse(const Frame& call, const RemoteError& error) {
    const auto name = procedure_name(call.header.procedure);
    service_.log(Level::debug, fmt::format("{}: {} #{}: refused: {}", name_, name, call.header.serial,
                                           text::printable(error.message.value_or(""))));
    answer(call, Status::error, encode(error));
}

void Client::work(const Frame& frame) {
    const auto began = Clock::now();
    try {
        const Procedure& procedure = require_procedure(frame.header);
        check_access(*this, procedure);
        Call call{*this, frame.header, procedure.name};
        answer(frame, Status::ok, procedure.run(call, frame.payload));
        if (call.afterwards) call.afterwards();
        service_.log(procedure.access == Access::write ? Level::notice : Level::debug,
                     fmt::format("{}: {} #{}: done in {} ms", name_, procedure.name, frame.header.serial,
                                 milliseconds_since(began)));
    } catch (const Malformed&) {
        throw;
    } catch (const Refusal& refusal) {
        refuse(frame, remote_error(refusal.code, refusal.area, refusal.what()));
    } catch (const Error& error) {
        refuse(frame, remote_error(error));
    } catch (const std::exception& error) {
        refuse(frame, remote_error(Code::internal_error, Area::qemu,
                                   fmt::format("internal error: {}", error.what())));
    }
}

} // namespace domsnap::rpc
