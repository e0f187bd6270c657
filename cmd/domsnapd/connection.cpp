#include "connection.h"

namespace domsnap::server {

/// What a stream lets pile up, and what makes a client that reads nothing be dropped: two of the largest
/// answers.
static constexpr size_t enough = 1 << 20, too_much = 2 * rpc::max_frame;

Connection::Connection(os::Fd socket, std::function<void()> wants_attention)
    : socket_(std::move(socket)), wants_attention_(std::move(wants_attention)) {}

void Connection::send(std::string frame) {
    {
        const std::lock_guard lock(mutex_);
        if (shut_) return;
        out_size_ += frame.size();
        out_.push_back(std::move(frame));
        // At once, which spares the loop a turn and the client a wait. What went wrong is the loop's.
        if (out_.size() == 1 && write_some() && out_.empty()) return;
    }
    wants_attention_();
}

bool Connection::wait_for_room() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return shut_ || out_size_ < enough; });
    return !shut_;
}

bool Connection::receive() {
    const auto data = os::read_now(socket_, 256 << 10);
    if (!data) return false;
    in_.add(*data);
    return true;
}

bool Connection::write_some() {
    while (!out_.empty()) {
        const auto put = os::write_now(socket_, std::string_view(out_.front()).substr(sent_of_first_));
        if (!put) return false;
        if (*put == 0) return out_size_ <= too_much;
        out_size_ -= *put;
        sent_of_first_ += *put;
        if (sent_of_first_ < out_.front().size()) continue;
        out_.pop_front();
        sent_of_first_ = 0;
    }
    return true;
}

bool Connection::flush() {
    const std::lock_guard lock(mutex_);
    const bool well = write_some();
    if (out_.empty()) room_.notify_all();
    return well;
}

bool Connection::has_to_send() const {
    const std::lock_guard lock(mutex_);
    return !out_.empty();
}

void Connection::shut() {
    const std::lock_guard lock(mutex_);
    shut_ = true;
    out_.clear();
    room_.notify_all();
}

} // namespace domsnap::server
