// The loop: sockets in, calls to the workers, answers out, silent clients dropped. One thread; whatever may
// wait is a worker's.
#pragma once

#include "access.h"
#include "connection.h"
#include "patience.h"
#include "workers.h"

#include "base/deadline.h"
#include "os/server.h"
#include "rpc/client.h"
#include "rpc/service.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace domsnap::server {

class Server {
  public:
    Server(rpc::Service& service, const Access& access, Patience patience, std::optional<unsigned> timeout);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void listen(os::Fd socket, bool read_only);
    /// Until the flag is set, or nobody has been there for the timeout. Calls that are under way are
    /// finished; those that can be cancelled are.
    void run(const std::atomic<bool>& stop);

  private:
    using Clock = Deadline::Clock;
    struct Peer {
        uint64_t number = 0;
        std::shared_ptr<Connection> connection;
        std::shared_ptr<rpc::Client> client;
        std::deque<rpc::Frame> calls; ///< not begun yet
        unsigned running = 0;
        Clock::time_point heard;
        unsigned pings = 0; ///< since it was heard
    };

    void accept_all(const os::Fd& listener, bool read_only);
    void watch_listeners(bool wanted);
    void welcome(os::Fd socket, bool read_only);
    bool serve(Peer& peer, const os::Poller::Ready& ready);
    void attend(uint64_t number);
    static bool may_read(const Peer& peer);
    void take_frames(Peer& peer);
    void start_calls(Peer& peer);
    void finished(uint64_t number, const std::string& malformed);
    void watch(const Peer& peer);
    bool keep_alive(Peer& peer);
    void drop(Peer& peer, const std::string& why);
    void handle(const os::Poller::Ready& ready);
    void do_posted();
    void post(std::function<void()> work);
    void tick();
    bool all_done() const;
    void turn();
    bool nobody_comes() const;

    rpc::Service& service_;
    const Access& access_;
    Patience patience_;
    std::optional<unsigned> timeout_;
    os::Poller poller_;
    std::map<int, std::pair<os::Fd, bool>> listeners_; ///< and whether read-only
    std::map<uint64_t, Peer> peers_;
    std::map<int, uint64_t> by_fd_;
    uint64_t next_number_ = 0;
    size_t max_peers_;
    bool accepts_ = true; ///< not while there is no descriptor for a peer more
    Clock::time_point last_tick_;
    bool ending_ = false; ///< no call is begun any more
    Clock::time_point last_peer_ = Clock::now();
    std::mutex mutex_; ///< of posted_
    std::deque<std::function<void()>> posted_;
    Workers changers_{256}, lookers_{256}; ///< last: their threads use the rest
};

} // namespace domsnap::server
