// The bytes of volumes, to the client and from it.
#include "rpc/volumes.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <optional>

namespace domsnap::rpc {

namespace {

constexpr uint32_t with_holes = 1; ///< VIR_STORAGE_VOL_{DOWNLOAD,UPLOAD}_SPARSE_STREAM

struct ContentArguments {
    VolumeRef volume;
    uint64_t offset = 0, length = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(volume, offset, length, flags)
};

/// Work on a volume that is done before its end is confirmed: whoever hears of that finds the file closed.
class VolumeStream : public Stream {
  public:
    VolumeStream(std::shared_ptr<Outlet> outlet, const Header& call)
        : outlet_(std::move(outlet)), out_(outlet_, call) {}
    void end() override {
        const std::lock_guard lock(mutex_);
        over_ = true;
        changed_.notify_all();
    }
    bool is_over() const override {
        const std::lock_guard lock(mutex_);
        return over_;
    }
    bool finish(bool gives_up) override {
        const std::lock_guard lock(mutex_);
        finished_ = true;
        over_ = over_ || gives_up;
        changed_.notify_all();
        return done_;
    }
    void run() {
        try {
            work();
            close();
            done();
        } catch (const Error& error) {
            fail(remote_error(error));
        } catch (const std::exception& error) {
            fail(remote_error(Code::internal_error, Area::storage,
                              fmt::format("internal error: {}", error.what())));
        }
        outlet_->read_on();
    }

  protected:
    virtual void work() = 0;
    virtual void close() = 0;

    std::shared_ptr<Outlet> outlet_;
    StreamOut out_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool finished_ = false; ///< the client has said its last
    bool over_ = false;     ///< nobody waits for more

  private:
    void done() {
        const std::lock_guard lock(mutex_);
        done_ = true;
        if (finished_) out_.confirm();
    }

    void fail(const RemoteError& error) {
        close();
        end();
        out_.fail(error);
    }

    bool done_ = false;
};

class Download : public VolumeStream {
  public:
    Download(std::unique_ptr<VolumeReader> from, std::shared_ptr<Outlet> outlet, const Header& call,
             bool holes)
        : VolumeStream(std::move(outlet), call), from_(std::move(from)), holes_(holes) {}
    void take(std::string_view) override {}

  private:
    void work() override {
        while (!is_over()) {
            const auto piece = from_->next();
            if (piece.hole == 0 && piece.data.empty()) {
                close();
                return out_.end();
            }
            if (!(piece.hole > 0 ? send_hole(piece.hole) : out_.send(piece.data))) return;
        }
    }
    void close() override { from_.reset(); }

    bool send_hole(uint64_t size) const {
        if (holes_) return out_.send_hole(size);
        const std::string zeros(std::min<uint64_t>(size, 1 << 20), '\0');
        for (uint64_t left = size; left > 0 && !is_over();) {
            const auto part = std::min<uint64_t>(left, zeros.size());
            if (!out_.send(std::string_view(zeros).substr(0, part))) return false;
            left -= part;
        }
        return true;
    }

    std::unique_ptr<VolumeReader> from_;
    bool holes_;
};

/// What comes waits here until it is written: the thread that reads the sockets does not wait for a disk.
class Upload : public VolumeStream {
  public:
    Upload(std::unique_ptr<VolumeWriter> into, std::shared_ptr<Outlet> outlet, const Header& call)
        : VolumeStream(std::move(outlet), call), into_(std::move(into)) {}
    void take(std::string_view bytes) override { add({std::string(bytes), 0}); }
    void take_hole(uint64_t size) override { add({{}, size}); }
    bool is_full() const override {
        const std::lock_guard lock(mutex_);
        return waiting_.size() >= most_waiting && !over_;
    }

  private:
    static constexpr size_t most_waiting =
        16; ///< packets, of 256 KiB each where libvirt's library sends them

    struct Part {
        std::string bytes;
        uint64_t hole = 0;
    };

    void work() override {
        while (const auto part = next())
            part->hole > 0 ? into_->skip(part->hole) : into_->write(part->bytes);
        if (!is_over()) into_->finish();
    }
    void close() override { into_.reset(); }

    void add(Part part) {
        const std::lock_guard lock(mutex_);
        if (over_) return; // it failed, and the client will read so
        waiting_.push_back(std::move(part));
        changed_.notify_all();
    }

    std::optional<Part> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return over_ || finished_ || !waiting_.empty(); });
        if (over_ || waiting_.empty()) return std::nullopt;
        auto part = std::move(waiting_.front());
        waiting_.pop_front();
        const bool has_room_again = waiting_.size() + 1 == most_waiting;
        lock.unlock();
        if (has_room_again) outlet_->read_on();
        return part;
    }

    std::unique_ptr<VolumeWriter> into_;
    std::deque<Part> waiting_;
};

/// The stream's work is the call's: it goes on, on the call's thread, when the answer is on its way.
template <class Kind>
Nothing begin(Call& call, std::shared_ptr<Kind> stream) {
    call.client.add_stream(call.header.serial, stream);
    call.afterwards = [stream] { stream->run(); };
    return {};
}

Nothing download(Call& call, const ContentArguments& a) {
    check_flags(a.flags, with_holes, call.procedure);
    auto from = read_volume(call.host().folders(), path_of(call, a.volume), a.offset, a.length);
    return begin(call, std::make_shared<Download>(std::move(from), call.client.outlet(), call.header,
                                                  a.flags & with_holes));
}

Nothing upload(Call& call, const ContentArguments& a) {
    check_flags(a.flags, with_holes, call.procedure);
    auto into = overwrite_volume(call.host().folders(), path_of(call, a.volume), a.offset, a.length);
    return begin(call, std::make_shared<Upload>(std::move(into), call.client.outlet(), call.header));
}

} // namespace

Family volume_stream_family() {
    return {
        writes("storage_vol_download", download),
        writes("storage_vol_upload", upload),
    };
}

} // namespace domsnap::rpc
