#include "migration.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fake {

namespace {

/// Waits for the descriptor, but not past a cancel.
void wait_for(int fd, short events, const std::atomic<bool>& cancelled) {
    pollfd entry{fd, events, 0};
    while (!cancelled)
        if (::poll(&entry, 1, 20) > 0) return;
    throw Refusal("cancelled");
}

} // namespace

Migration::Migration() : shared_(std::make_shared<Shared>()) {}
Migration::~Migration() = default;

int Migration::done_fd() const { return shared_->done ? shared_->done.get() : -1; }

void Migration::run(const std::function<void(Shared&)>& body) {
    shared_->done = domsnap::os::Fd(::eventfd(0, EFD_CLOEXEC));
    ::fcntl(shared_->fd.get(), F_SETFL, ::fcntl(shared_->fd.get(), F_GETFL) | O_NONBLOCK);
    error.clear();
    status = "active";
    std::thread([shared = shared_, body] {
        try {
            body(*shared);
        } catch (const std::exception& failure) {
            shared->error = failure.what();
        }
        shared->fd.reset();
        const uint64_t one = 1;
        if (::write(shared->done.get(), &one, sizeof one) != sizeof one) std::abort();
    }).detach();
}

void Migration::put(Shared& shared, const std::string& bytes) {
    for (size_t at = 0; at < bytes.size();) {
        wait_for(shared.fd.get(), POLLOUT, shared.cancelled);
        const ssize_t count = ::write(shared.fd.get(), bytes.data() + at, bytes.size() - at);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count < 0) throw Refusal(std::string("Unable to write to file: ") + std::strerror(errno));
        at += static_cast<size_t>(count);
    }
}

std::string Migration::get(Shared& shared, size_t size) {
    std::string bytes(size, '\0');
    for (size_t at = 0; at < size;) {
        wait_for(shared.fd.get(), POLLIN, shared.cancelled);
        const ssize_t count = ::read(shared.fd.get(), bytes.data() + at, size - at);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count <= 0) throw Refusal("load of migration failed: Input/output error");
        at += static_cast<size_t>(count);
    }
    return bytes;
}

void Migration::send(domsnap::os::Fd fd, Ram ram, StreamState state, bool background, bool disk_full) {
    shared_ = std::make_shared<Shared>();
    shared_->fd = std::move(fd);
    shared_->ram = std::move(ram);
    shared_->state = std::move(state);
    run([background, disk_full](Shared& shared) {
        const auto checked_put = [&](const std::string& bytes) {
            if (disk_full && shared.progress.sent > shared.ram.block.bytes / page_bytes)
                throw Refusal("Unable to write to file: No space left on device");
            put(shared, bytes);
        };
        write_stream(shared.ram, shared.state, background, shared.progress, checked_put);
    });
}

void Migration::receive(domsnap::os::Fd fd, const RamBlock& block, const std::string& machine, Store store) {
    shared_ = std::make_shared<Shared>();
    shared_->fd = std::move(fd);
    shared_->ram.block = block;
    run([machine, store = std::move(store)](Shared& shared) {
        shared.state = read_stream(
            shared.ram.block, machine, [&](size_t size) { return get(shared, size); }, store);
    });
}

std::string Migration::collect() {
    shared_->done.reset();
    return shared_->error;
}

Json Migration::describe() const {
    Json info = Json::object();
    if (status.empty()) return info;
    info["status"] = status;
    if (!error.empty()) info["error-desc"] = error;
    const auto& progress = shared_->progress;
    const uint64_t pages = progress.data_pages + progress.zero_pages, total = shared_->ram.block.bytes;
    info["ram"] = {{"total", total},
                   {"transferred", progress.sent.load()},
                   {"page-size", page_bytes},
                   {"remaining", total - std::min(total, pages * page_bytes)},
                   {"normal", progress.data_pages.load()},
                   {"duplicate", progress.zero_pages.load()}};
    return info;
}

} // namespace fake
