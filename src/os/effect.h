// Every system call of this room that changes something outside the process goes through here, so that a test
// can stand before and behind each: let the process die there, let the call fail, take back what was not
// durable yet. Only a test's own code can set a watcher, from within the process: no file, argument or
// environment variable does. Private to the room and to the tests.
// What does not: close(2) and flock(2), since death closes and unlocks just the same; what goes to a peer of
// the server or to a guest's terminal (write_now, Duplex), which no recovery could find or take back.
#pragma once

#include <cerrno>
#include <string>

namespace domsnap::os {

struct Effect {
    enum class Kind {
        make_file,
        set_mode, ///< or its group
        write,
        resize,
        sync,
        rename,
        remove,
        make_folder,
        remove_folder,
        sync_folder,
        make_socket,
        run,        ///< a child process; path: its program
        background, ///< one that outlives us
        signal,
        send, ///< to a socket: a QMP command
        poke  ///< into another process's memory
    } kind;
    std::string path; ///< in words where it is no file
    std::string to{}; ///< rename
    int fd = -1;      ///< of an open file

    bool forks() const { return kind == Kind::run || kind == Kind::background; }
};

class EffectWatcher {
  public:
    virtual ~EffectWatcher() = default;
    /// 0: let it be done; otherwise the error number with which it is to fail. May not return at all.
    virtual int before(const Effect& effect) = 0;
    /// Only after one that was done and did not fail.
    virtual void after(const Effect& effect) = 0;
    /// True if the call is to be taken for done: a test that loses power itself needs no fsync.
    virtual bool is_left_out(const Effect&) const { return false; }
};

/// Set before any other thread is there.
inline EffectWatcher* effect_watcher = nullptr;

/// The call: -1 and errno when it fails, as system calls do.
template <class Call>
auto effect(const Effect& what, Call call) -> decltype(call()) {
    EffectWatcher* const watcher = effect_watcher;
    if (!watcher) return call();
    if (const int error = watcher->before(what)) {
        errno = error;
        return -1;
    }
    const auto result = watcher->is_left_out(what) ? decltype(call()){} : call();
    const int saved = errno;
    const bool in_child = what.forks() && result == 0;
    if (result != -1 && !in_child) watcher->after(what);
    errno = saved;
    return result;
}

} // namespace domsnap::os
