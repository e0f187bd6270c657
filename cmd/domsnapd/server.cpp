#include "server.h"

#include "base/text.h"
#include "rpc/procedures.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::server {

using rpc::Level;
using namespace std::chrono_literals;

namespace {

constexpr size_t most_peers = 5000; ///< libvirt's max_clients
constexpr unsigned max_running = 8; ///< calls of one client at once; libvirt's is 5
constexpr size_t max_waiting = 64;  ///< calls of one client that are read ahead

} // namespace

Server::Server(rpc::Service& service, const Access& access, Patience patience,
               std::optional<unsigned> timeout)
    : service_(service), access_(access), patience_(patience), timeout_(timeout),
      max_peers_(std::min<size_t>(most_peers, os::raise_descriptor_limit() / 2)) {} // their calls open files

Server::~Server() {
    for (auto& [number, peer] : peers_)
        peer.connection->shut();
}

void Server::listen(os::Fd socket, bool read_only) {
    const int fd = socket.get();
    poller_.watch(fd, true, false);
    listeners_[fd] = {std::move(socket), read_only};
}

void Server::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(work));
    }
    poller_.wake();
}

void Server::do_posted() {
    std::deque<std::function<void()>> work;
    {
        const std::lock_guard lock(mutex_);
        work.swap(posted_);
    }
    for (const auto& one : work)
        one();
}

void Server::accept_all(const os::Fd& listener, bool read_only) {
    try {
        while (auto socket = os::accept_peer(listener))
            welcome(std::move(socket), read_only);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::busy) throw;
        service_.log(Level::warning, fmt::format("no client more is let in for a moment: {}", error.what()));
        watch_listeners(false); // it would be ready again at once, and again
    }
}

void Server::watch_listeners(bool wanted) {
    accepts_ = wanted;
    for (const auto& [fd, listener] : listeners_)
        poller_.watch(fd, wanted, false);
}

void Server::welcome(os::Fd socket, bool read_only) {
    const auto who = os::peer_of(socket);
    auto name = fmt::format("client {} (uid {}, pid {})", ++next_number_, who.uid, who.pid);
    if (!(read_only ? access_.may_look(who) : access_.may_change(who)))
        return service_.log(Level::warning, fmt::format("{}: turned away: not in the group", name));
    if (peers_.size() >= max_peers_)
        return service_.log(Level::warning,
                            fmt::format("{}: turned away: {} clients are there", name, max_peers_));
    const auto number = next_number_;
    auto connection = std::make_shared<Connection>(
        std::move(socket), [this, number] { post([this, number] { attend(number); }); });
    Peer peer;
    peer.number = number;
    peer.connection = connection;
    peer.client = std::make_shared<rpc::Client>(service_, connection, std::move(name), read_only);
    peer.heard = Clock::now();
    by_fd_[connection->fd()] = number;
    service_.log(Level::debug,
                 fmt::format("{}: connected{}", peer.client->name(), read_only ? ", read-only" : ""));
    watch(peers_.emplace(number, std::move(peer)).first->second);
}

/// Who has sent more calls than are begun, or more for a stream than is written, is not read for a while.
bool Server::may_read(const Peer& peer) { return peer.calls.size() < max_waiting && !peer.client->is_full(); }

void Server::watch(const Peer& peer) {
    poller_.watch(peer.connection->fd(), may_read(peer), peer.connection->has_to_send());
}

/// There is something to send, or what was read and left can be taken now.
void Server::attend(uint64_t number) {
    const auto found = peers_.find(number);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (!peer.connection->flush()) return drop(peer, "it does not read");
    try {
        take_frames(peer);
        watch(peer);
    } catch (const rpc::Malformed& error) {
        drop(peer, error.what());
    }
}

void Server::drop(Peer& peer, const std::string& why) {
    service_.log(why.empty() ? Level::debug : Level::warning,
                 fmt::format("{}: {}", peer.client->name(), why.empty() ? "gone" : "cut off: " + why));
    poller_.forget(peer.connection->fd());
    by_fd_.erase(peer.connection->fd());
    peer.connection->shut();
    peer.client->end_streams(); // their calls end by it
    service_.subscribers.remove_all(peer.client->outlet());
    last_peer_ = Clock::now();
    peers_.erase(peer.number);
}

void Server::take_frames(Peer& peer) {
    while (may_read(peer)) {
        auto frame = peer.connection->frames().next(peer.client->frame_limit());
        if (!frame) break;
        if (peer.client->receive(*frame)) peer.calls.push_back(*std::move(frame));
    }
    start_calls(peer);
}

/// Before the connection is open one call follows the other: what they may do depends on the first.
void Server::start_calls(Peer& peer) {
    while (!ending_ && !peer.calls.empty() && peer.running < (peer.client->is_open() ? max_running : 1)) {
        ++peer.running;
        // However many wait for domains' locks: who only looks has a thread.
        auto& workers = rpc::may_wait(peer.calls.front().header) ? changers_ : lookers_;
        workers.run([this, number = peer.number, client = peer.client, call = std::move(peer.calls.front())] {
            std::string malformed;
            try {
                client->work(call);
            } catch (const std::exception& error) {
                malformed = error.what();
            }
            post([this, number, malformed] { finished(number, malformed); });
        });
        peer.calls.pop_front();
    }
}

void Server::finished(uint64_t number, const std::string& malformed) {
    const auto found = peers_.find(number);
    if (found == peers_.end()) return;
    --found->second.running;
    if (!malformed.empty()) return drop(found->second, malformed);
    attend(number);
}

/// False when the peer is gone, for whatever reason that was not its fault.
bool Server::serve(Peer& peer, const os::Poller::Ready& ready) {
    if (ready.writable && !peer.connection->flush()) return false;
    if (ready.readable) {
        if (!peer.connection->receive()) return false;
        peer.heard = Clock::now();
        peer.pings = 0;
        take_frames(peer);
    }
    watch(peer);
    return true;
}

void Server::handle(const os::Poller::Ready& ready) {
    if (const auto listener = listeners_.find(ready.fd); listener != listeners_.end())
        return accept_all(listener->second.first, listener->second.second);
    const auto number = by_fd_.find(ready.fd);
    if (number == by_fd_.end()) return; // dropped a moment ago
    Peer& peer = peers_.at(number->second);
    try {
        if (!serve(peer, ready)) drop(peer, "");
    } catch (const rpc::Malformed& error) {
        drop(peer, error.what());
    }
}

/// False when the client has not answered for too long. Only those are asked that said they would answer.
bool Server::keep_alive(Peer& peer) {
    if (!peer.client->wants_keepalive() || patience_.interval == 0) return true;
    if (peer.client->is_full()) return true; // its answers are not read
    if (Clock::now() - peer.heard < std::chrono::seconds(patience_.interval) * (peer.pings + 1)) return true;
    if (peer.pings >= patience_.count) return false;
    ++peer.pings;
    peer.connection->send(rpc::ping_frame());
    return true;
}

void Server::tick() {
    if (Clock::now() - last_tick_ < 1s) return;
    last_tick_ = Clock::now();
    if (!accepts_ && !ending_) watch_listeners(true);
    for (auto at = peers_.begin(); at != peers_.end();) {
        Peer& peer = (at++)->second; // dropping takes it out of the map
        if (!keep_alive(peer)) drop(peer, fmt::format("it has not answered for {} s", patience_.seconds()));
    }
}

bool Server::all_done() const { return changers_.idle() && lookers_.idle(); }

bool Server::nobody_comes() const {
    return timeout_ && peers_.empty() && all_done() &&
           Clock::now() - last_peer_ >= std::chrono::seconds(*timeout_);
}

void Server::turn() {
    for (const auto& ready : poller_.wait(Deadline::after(1s)))
        handle(ready);
    do_posted();
    tick();
}

void Server::run(const std::atomic<bool>& stop) {
    while (!stop && !nobody_comes())
        turn();
    ending_ = true;
    for (const auto& [fd, listener] : listeners_)
        poller_.forget(fd);
    service_.jobs.abort_all();
    for (const auto& [number, peer] : peers_)
        peer.client->end_streams();
    while (!all_done())
        turn(); // those who asked are still told how it went
    do_posted();
}

} // namespace domsnap::server
