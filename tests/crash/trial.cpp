#include "trial.h"

#include "engine/deadlines.h"
#include "os/effect.h"
#include "os/file.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace crash {

using namespace domsnap;

namespace {

struct Shared {
    uint32_t effects;
    uint8_t kinds[4096]; ///< of each effect
    char words[1024];
    pid_t other; ///< the command that began in the midst
};

constexpr int a_reader_failed = 98;
constexpr const char* other_snapshot = "other";

/// What list, dominfo, domblklist and snapshot-list look at.
void look_at_everything(const Host& host) {
    for (const auto& domain : host.list(true))
        try {
            host.info(domain.name);
            host.disks(domain.name);
            host.snapshots(domain.name);
            host.unfinished(domain.name);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw; // undefined, or renamed, just then
        }
}

Shared* shared() {
    static auto* const memory = static_cast<Shared*>(
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    return memory;
}

/// Notes also of which kind each effect is.
class Noting : public Strike {
  public:
    using Strike::Strike;
    int before(const os::Effect& effect) override {
        if (striking_) return 0;
        const std::lock_guard guard(one_at_a_time_);
        const auto number = shared()->effects;
        if (number < sizeof shared()->kinds) shared()->kinds[number] = static_cast<uint8_t>(effect.kind);
        return Strike::before(effect);
    }
};

constexpr int hung_after_seconds = 120;

/// The exit status, or nothing if it had to be killed.
std::optional<int> wait_for(pid_t child) {
    for (int rounds = 0; rounds < hung_after_seconds * 500; ++rounds) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child) return status;
        ::poll(nullptr, 0, 2);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return std::nullopt;
}

bool is_an_error(Fault fault) {
    return fault == Fault::full || fault == Fault::broken || fault == Fault::silent || fault == Fault::late;
}
bool loses_power(Fault fault) { return fault == Fault::power || fault == Fault::half_power; }
bool kills_qemu(Fault fault) {
    return fault == Fault::kill_all || fault == Fault::kill_qemu || loses_power(fault);
}

std::string difference(const Picture& seen, const Picture& old_world, const Picture& new_world) {
    return fmt::format("seen:\n{}old:\n{}new:\n{}", to_text(seen), to_text(old_world), to_text(new_world));
}

} // namespace

Trials::Ended Trials::in_child(const Blow& blow, const std::function<void(std::string&)>& body) {
    std::memset(shared(), 0, sizeof(Shared));
    const pid_t child = ::fork();
    if (child == 0) {
        Noting watcher(world_, blow.fault, blow.at, &shared()->effects);
        if (blow.fault == Fault::silent || blow.fault == Fault::late) {
            engine::waiting.answer = engine::waiting.look = std::chrono::milliseconds(300);
            engine::waiting.start = std::chrono::seconds(2); // the fake is there in a few milliseconds
        }
        watcher.look = [&] {
            try {
                look_at_everything(host_);
            } catch (const std::exception& error) {
                std::strncpy(shared()->words, error.what(), sizeof shared()->words - 1);
                ::_exit(a_reader_failed);
            }
        };
        watcher.begin_another = [&] {
            const pid_t other = ::fork();
            if (other != 0) {
                shared()->other = other;
                return;
            }
            os::effect_watcher = nullptr;
            ::close_range(3, ~0U, 0); // the lock goes with its open file, which a fork shares
            ::_exit(create_another() ? 0 : 1);
        };
        os::effect_watcher = &watcher;
        int result = 0;
        std::string words;
        try {
            body(words);
        } catch (const std::exception& error) {
            words = error.what();
            result = 1;
        }
        std::strncpy(shared()->words, words.c_str(), sizeof shared()->words - 1);
        ::_exit(result);
    }
    const auto status = wait_for(child);
    Ended ended{3, shared()->words, shared()->effects};
    if (status) ended.how = WIFEXITED(*status) ? WEXITSTATUS(*status) : 2;
    return ended;
}

bool Trials::create_another() {
    try {
        CreateOptions options;
        host_.snapshot_create(the_domain,
                              fmt::format("<domainsnapshot><name>{}</name></domainsnapshot>", other_snapshot),
                              options);
        return true;
    } catch (const Error&) {
        return false;
    }
}

Trials::Ended Trials::verb(const Blow& blow) {
    return in_child(blow, [&](std::string& words) {
        const Control control{{}, [&](const std::string& line) { words += line + "\n"; }, nullptr};
        scenario_.run(world_, host_, control);
    });
}

Trials::Ended Trials::recover(const Blow& blow) {
    return in_child(blow, [&](std::string& words) {
        for (const auto& line : host_.recover(""))
            words += line + "\n";
    });
}

std::vector<os::ProcessId> Trials::running_guests() {
    std::vector<os::ProcessId> running;
    for (const auto& domain : host_.list(false))
        if (domain.state == DomainState::running && domain.reason != "unknown") // it does not answer yet
            if (const auto process = os::process_id(static_cast<pid_t>(domain.pid)))
                running.push_back(*process);
    return running;
}

void Trials::repair() {
    VerifyOptions options;
    options.repair = true;
    host_.snapshot_verify(the_domain, "", options);
}

void Trials::put_back() {
    world_.put_back();
    if (scenario_.with_guest) start_guest(host_);
    if (scenario_.at_last) scenario_.at_last(world_, host_);
    ran_before_ = running_guests();
}

Trials::Trials(const Scenario& scenario) : scenario_(scenario), host_(world_.folders()) {
    scenario_.prepare(world_, host_);
    world_.remember();
    if (scenario_.half) {
        put_back();
        scenario_.half(world_, host_);
        between_ = look_at(world_);
    }
    put_back();
    old_ = look_at(world_);
    const auto ended = verb({});
    if (ended.how != 0) throw std::runtime_error(scenario.name() + " does not work: " + ended.words);
    if (ended.words.find(scenario.says) == std::string::npos)
        throw std::runtime_error(scenario.name() + " is not that: " + ended.words);
    effects_ = ended.effects;
    for (uint32_t i = 0; i < effects_ && i < sizeof shared()->kinds; ++i)
        kinds_.push_back(static_cast<os::Effect::Kind>(shared()->kinds[i]));
    new_ = look_at(world_);
    for (const auto* picture : {&old_, &new_})
        if (!picture->problems.empty() || (!picture->strays.empty() && !scenario_.forgets))
            throw std::runtime_error(scenario.name() + ":\n" + to_text(*picture));
}

Verdict Trials::run(Blow first, std::optional<Blow> second) {
    put_back();
    const auto ended = verb(first);
    Verdict verdict;
    if (ended.how == 3) {
        verdict.why = "the verb hangs";
        return verdict;
    }
    if (ended.how == a_reader_failed) {
        verdict.why = "a reader failed: " + ended.words;
        return verdict;
    }
    if (const pid_t other = shared()->other; first.fault == Fault::writer && other > 0) {
        const auto status = wait_for(other); // ours now: its parent has ended
        verdict = judge_both(ended, status && WIFEXITED(*status) ? WEXITSTATUS(*status) : 3);
        verdict.effects = ended.effects;
        return verdict;
    }
    os::write_file(world_.faults(), "");
    // What the verb let run has run for some time by now, and may have written to its disks. (G10)
    auto was_let_run = first.fault == Fault::kill && !second ? running_guests() : ran_before_;
    std::erase_if(was_let_run, [&](const auto& one) { return std::ranges::count(ran_before_, one) > 0; });
    bool struck_again = false;
    uint32_t effects_of_second = 0;
    std::string said = ended.words;
    if (second) {
        const auto again = recover(*second);
        struck_again = again.effects >= second->at;
        effects_of_second = again.effects;
        said += again.words;
        os::write_file(world_.faults(), "");
    }
    const auto recovered = recover({});
    const bool lost_power = loses_power(first.fault) || (second && loses_power(second->fault));
    if (scenario_.warm && lost_power && recovered.how == 0) repair();
    if (recovered.how != 0) {
        verdict.why =
            fmt::format("recovery {}: {}", recovered.how == 3 ? "hangs" : "failed", recovered.words);
    } else {
        verdict = judge(ended, said, first, second);
        if (scenario_.again && verdict.world != Verdict::World::wrong)
            verdict = judge_again(std::move(verdict));
    }
    for (const auto& one : was_let_run)
        if (verdict.world != Verdict::World::wrong && !os::is_alive(one)) {
            verdict.world = Verdict::World::wrong;
            verdict.why = "recovery ended a guest that the verb had let run";
        }
    verdict.effects = ended.effects;
    verdict.recovery_effects = std::max(effects_of_second, recovered.effects);
    verdict.struck = ended.effects >= first.at;
    verdict.struck_again = struck_again;
    if (verdict.world == Verdict::World::wrong)
        verdict.why +=
            fmt::format("\nthe verb said: {}\nthe recovery said: {}", ended.words, recovered.words);
    return verdict;
}

/// Whatever a crash left of it, the same command must do.
Verdict Trials::judge_again(Verdict verdict) {
    if (look_at(world_).libvirts == new_.libvirts) return verdict;
    const auto ended = verb({});
    const auto seen = look_at(world_);
    if (ended.how == 0 && seen.domains == new_.domains && seen.libvirts == new_.libvirts &&
        seen.strays == new_.strays)
        return verdict;
    verdict.world = Verdict::World::wrong;
    verdict.why = fmt::format("once more: {}\n{}", ended.words, difference(seen, old_, new_));
    return verdict;
}

Verdict Trials::judge_both(const Ended& ended, int how_the_other_ended) {
    Verdict verdict;
    auto seen = look_at(world_);
    bool has_other = false;
    for (const auto& [name, domain] : seen.domains)
        has_other = has_other || domain.snapshots.contains(other_snapshot);
    // What a verb leaves on purpose (the files of snapshots that it forgets) is there whoever else comes.
    const bool left_on_purpose = std::all_of(seen.strays.begin(), seen.strays.end(), [&](const auto& stray) {
        return std::find(new_.strays.begin(), new_.strays.end(), stray) != new_.strays.end();
    });
    // An undefine that came after the other command took what that one had made along.
    const bool both_gone = !seen.domains.contains(the_domain) && !new_.domains.contains(the_domain);
    // Between the two halves of a verb another one may come, and the second half be refused for it.
    const bool done_or_refused = ended.how == 0 || (between_ && ended.how == 1);
    const bool right = done_or_refused && how_the_other_ended <= 1 &&
                       (both_gone || has_other == (how_the_other_ended == 0)) && seen.problems.empty() &&
                       left_on_purpose && seen.guests.size() == new_.guests.size();
    if (right)
        verdict.world = Verdict::World::fresh;
    else
        verdict.why = fmt::format("the other command ended with {}\n{}", how_the_other_ended, to_text(seen));
    return verdict;
}

/// A snapshot of a domain whose QEMU was killed before the command looked is one of a domain that is off.
static void forget_states(Picture& picture) {
    for (auto& [name, domain] : picture.domains)
        for (auto& [snapshot, one] : domain.snapshots)
            one.state.clear();
}

Verdict Trials::judge(const Ended& ended, const std::string& said, const Blow& first,
                      const std::optional<Blow>& second) {
    Verdict verdict;
    auto seen = look_at(world_), old_world = old_, new_world = new_, between = between_.value_or(old_);
    if (kills_qemu(first.fault))
        for (auto* picture : {&seen, &old_world, &new_world, &between})
            forget_states(*picture);
    const bool is_new =
        seen.domains == new_world.domains &&
        !(seen.domains == old_world.domains && ended.how != 0 && seen.guests == old_world.guests);
    // Between two verbs nothing is done by halves, and the same command goes on.
    const bool is_between = seen.domains == between.domains;
    const bool is_old = seen.domains == old_world.domains || is_between;
    const bool failed = ended.how == 1;
    // A verb that says that it is done has left the new world.
    const bool right = is_new || (is_old && ended.how != 0);
    const auto& expected = is_new ? new_world : old_world;
    const bool may_be_off =
        kills_qemu(first.fault) || (second && kills_qemu(second->fault)) ||
        (is_new && ((failed && is_an_error(first.fault)) || (second && is_an_error(second->fault))));
    const bool guests_right = seen.guests == expected.guests || (is_old && seen.guests == old_world.guests) ||
                              (is_between && seen.guests == between.guests) ||
                              (may_be_off && seen.guests.empty());
    const bool libvirts_right = seen.libvirts == expected.libvirts || (is_between && scenario_.again);
    const bool expected_or_said = std::all_of(seen.strays.begin(), seen.strays.end(), [&](const auto& stray) {
        return said.find(stray) != std::string::npos ||
               std::find(expected.strays.begin(), expected.strays.end(), stray) != expected.strays.end();
    });
    if (right && guests_right && libvirts_right && seen.problems.empty() && expected_or_said)
        verdict.world = is_new ? Verdict::World::fresh : Verdict::World::old;
    else
        verdict.why = difference(seen, old_world, new_world);
    return verdict;
}

std::string revert_to_each(Trials& trials) {
    std::string wrong;
    const auto before = look_at(trials.world());
    RevertOptions eager; // the fake QEMU takes no postcopy stream
    eager.eager = true;
    for (const auto& [name, domain] : before.domains)
        for (const auto& [snapshot, one] : domain.snapshots) {
            try {
                trials.host().snapshot_revert(name, snapshot, eager);
                const auto after = look_at(trials.world());
                for (const auto& [target, content] : one.disks)
                    if (after.domains.at(name).disks.at(target) != content)
                        wrong += fmt::format("reverted to {}: {} holds {} instead of {}\n", snapshot, target,
                                             after.domains.at(name).disks.at(target), content);
                if (after.domains.at(name).snapshots != domain.snapshots)
                    wrong += fmt::format("reverting to {} changed other snapshots\n", snapshot);
            } catch (const std::exception& error) {
                wrong += fmt::format("reverting to {}: {}\n", snapshot, error.what());
            }
        }
    return wrong;
}

} // namespace crash
