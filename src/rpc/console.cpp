// Streams: the guest's console, its screen; and its keys, which need none.
#include "rpc/domains.h"
#include "ui/keys.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <thread>

namespace domsnap::rpc {

namespace {

/// A guest's serial device on one side, a stream on the other; a thread for each direction, since either may
/// stand still.
class ConsoleStream : public Stream {
  public:
    ConsoleStream(std::unique_ptr<Console> console, StreamOut out)
        : console_(std::move(console)), out_(std::move(out)) {}
    ~ConsoleStream() override {
        end();
        if (from_guest_.joinable()) from_guest_.join();
        if (to_guest_.joinable()) to_guest_.join();
    }
    void run() {
        from_guest_ = std::thread([this] { read_guest(); });
        to_guest_ = std::thread([this] { write_guest(); });
    }
    void take(std::string_view bytes) override {
        const std::lock_guard lock(mutex_);
        // A guest that does not read its console makes typed letters wait here; a client that pastes
        // megabytes loses them.
        if (waiting_.size() + bytes.size() <= max_waiting) waiting_ += bytes;
        changed_.notify_all();
    }
    void end() override {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        console_->interrupt();
    }
    bool is_over() const override { return ended_; }

  private:
    static constexpr size_t max_waiting = 1 << 20;

    void read_guest() {
        try {
            for (auto bytes = console_->read(); !bytes.empty(); bytes = console_->read())
                if (!out_.send(bytes)) break;
        } catch (const std::exception&) {
            // The guest is gone; so is its console.
        }
        out_.end();
        ended_ = true;
    }

    std::string next_for_guest() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
        return ended_ ? std::string{} : std::exchange(waiting_, {});
    }

    void write_guest() {
        try {
            for (auto bytes = next_for_guest(); !bytes.empty(); bytes = next_for_guest())
                console_->write(bytes);
        } catch (const std::exception&) {
            // As above: the reader says so to the client.
        }
    }

    std::unique_ptr<Console> console_;
    StreamOut out_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string waiting_;
    std::atomic<bool> ended_ = false;
    std::thread from_guest_, to_guest_;
};

struct ConsoleArguments {
    DomainRef domain;
    OptionalText device;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, device, flags)
};
Nothing open_console(Call& call, const ConsoleArguments& a) {
    constexpr uint32_t force = 1, safe = 2;
    check_flags(a.flags, force | safe, call.procedure);
    const auto domain = key_of(a.domain), device = a.device.value_or("");
    std::shared_ptr<ConsoleStream> stream;
    call.service().consoles.open(call.host().console(domain, device).path, a.flags & force, [&] {
        return stream = std::make_shared<ConsoleStream>(call.host().open_console(domain, device),
                                                        StreamOut(call.client.outlet(), call.header));
    });
    call.client.add_stream(call.header.serial, stream);
    call.afterwards = [stream] { stream->run(); };
    return {};
}

/// Only goes to the client, and is whole from the start.
class Delivery : public Stream {
    void take(std::string_view) override {}
    void end() override {}
};

struct ScreenshotArguments {
    DomainRef domain;
    uint32_t screen = 0, flags = 0;
    DOMSNAP_WIRE(domain, screen, flags)
};
MaybeText screenshot(Call& call, const ScreenshotArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    if (a.screen != 0)
        throw Refusal(Code::invalid_argument, Area::qemu,
                      "invalid argument: currently is supported only taking screenshots of screen ID 0");
    auto picture = call.host().screenshot(key_of(a.domain));
    call.client.add_stream(call.header.serial, std::make_shared<Delivery>());
    call.afterwards = [out = StreamOut(call.client.outlet(), call.header), data = std::move(picture.data)] {
        if (out.send(data)) out.end();
    };
    return {picture.type};
}

struct KeyArguments {
    DomainRef domain;
    uint32_t codeset = 0, hold = 0;
    List<uint32_t, 16> keys;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, codeset, hold, keys, flags)
};
Nothing send_key(Call& call, const KeyArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    if (a.codeset != 0)
        throw Refusal(Code::config_unsupported, Area::qemu,
                      "unsupported configuration: the codeset must be linux");
    std::vector<std::string> keys;
    for (const auto key : a.keys)
        keys.push_back(ui::qemu_key(std::to_string(key)));
    call.host().send_key(key_of(a.domain), keys, static_cast<int>(std::min(a.hold, 60'000u)));
    return {};
}

} // namespace

Family stream_family() {
    return {
        writes("domain_open_console", open_console),
        writes("domain_screenshot", screenshot),
        writes("domain_send_key", send_key),
    };
}

} // namespace domsnap::rpc
