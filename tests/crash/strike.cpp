#include "strike.h"

#include "os/file.h"

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace crash {

using domsnap::os::Effect;

namespace {

bool needs_room(const Effect& effect) {
    using Kind = Effect::Kind;
    return effect.kind == Kind::write || effect.kind == Kind::resize || effect.kind == Kind::make_file ||
           effect.kind == Kind::make_folder || effect.kind == Kind::run;
}

/// Calls that a failing disk can make fail. Signals and messages are none of its business.
bool touches_a_disk(const Effect& effect) {
    using Kind = Effect::Kind;
    return effect.kind != Kind::signal && effect.kind != Kind::send && effect.kind != Kind::make_socket;
}

/// The QMP command in a message; "" if it is none.
std::string command_in(const std::string& message) {
    const std::string mark = R"("execute":")";
    const auto at = message.find(mark);
    if (at == message.npos) return {};
    const auto start = at + mark.size();
    return message.substr(start, message.find('"', start) - start);
}

} // namespace

const char* name_of(Fault fault) {
    static constexpr const char* names[] = {"none",  "kill",       "kill-all", "kill-qemu", "kill-reader",
                                            "power", "half-power", "full",     "broken",    "silent",
                                            "late",  "reader",     "writer"};
    return names[static_cast<int>(fault)];
}

const std::vector<Fault>& all_faults() {
    static const std::vector<Fault> faults{
        Fault::kill, Fault::kill_all, Fault::kill_qemu, Fault::kill_reader, Fault::power,  Fault::half_power,
        Fault::full, Fault::broken,   Fault::silent,    Fault::late,        Fault::reader, Fault::writer};
    return faults;
}

Strike::Strike(const World& world, Fault fault, uint32_t at, uint32_t* count)
    : world_(world), fault_(fault), at_(at), count_(count), power_(world) {}

void Strike::die() {
    ::kill(::getpid(), SIGKILL);
    ::pause();
    ::_exit(99);
}

int Strike::strike(const Effect& effect) {
    switch (fault_) {
    case Fault::none:
        return 0;
    case Fault::kill:
        die();
    case Fault::kill_all:
    case Fault::power:
    case Fault::half_power:
        kill_processes_naming(world_.path(), "");
        if (fault_ != Fault::kill_all) power_.fail(fault_ == Fault::power);
        die();
    case Fault::kill_qemu:
        kill_processes_naming(world_.path(), "fake-qemu");
        return 0;
    case Fault::kill_reader:
        kill_processes_naming(world_.path(), "domsnap-memory");
        return 0;
    case Fault::full:
        full_ = true;
        return needs_room(effect) ? ENOSPC : 0;
    case Fault::broken:
        waiting_ = !touches_a_disk(effect);
        return waiting_ ? 0 : EIO;
    case Fault::reader:
        look();
        return 0;
    case Fault::writer:
        begin_another();
        return 0;
    case Fault::silent:
    case Fault::late: {
        const auto command = command_in(effect.kind == Effect::Kind::send ? effect.path : "");
        waiting_ = command.empty();
        if (waiting_) return 0;
        domsnap::os::write_file(world_.faults(), std::string(name_of(fault_)) + " " + command +
                                                     (fault_ == Fault::late ? " 400\n" : "\n"));
        told_qemu_ = true;
        return 0;
    }
    }
    return 0;
}

int Strike::before(const Effect& effect) {
    if (striking_) return 0;
    const std::lock_guard guard(one_at_a_time_);
    if (inside_) return 0;
    inside_ = true;
    int error = 0;
    if (full_ && needs_room(effect)) error = ENOSPC;
    // It concerned one command; the next is answered again.
    if (told_qemu_ && effect.kind == Effect::Kind::send) {
        domsnap::os::write_file(world_.faults(), "");
        told_qemu_ = false;
    }
    if (++*count_ == at_ || waiting_) {
        striking_ = true;
        error = strike(effect);
        striking_ = false;
    }
    if (error == 0 && (fault_ == Fault::power || fault_ == Fault::half_power)) power_.before(effect);
    inside_ = false;
    return error;
}

void Strike::after(const Effect& effect) {
    if (striking_) return;
    const std::lock_guard guard(one_at_a_time_);
    if (inside_) return;
    inside_ = true;
    if (fault_ == Fault::power || fault_ == Fault::half_power) power_.after(effect);
    inside_ = false;
}

bool Strike::is_left_out(const Effect& effect) const {
    return effect.kind == Effect::Kind::sync || effect.kind == Effect::Kind::sync_folder;
}

} // namespace crash
