// crash-points: strikes every verb at each of its effects, recovers, and says what the world was afterwards.
//   crash-points [--qemu VERSION] [--only WORDS] [--faults NAME,…] [--kills N] [--every N] [--second N]
//                [--reverts N] [--sample] [--part N/OF] [--stop] [--seed N] [--table FILE]
// --sample: what CI runs. Of QEMU 7.2 a kill at every effect of every verb; of the other faults, and of blows
// at the recovery, some. Of QEMU 10.0 some of all, since only what that QEMU does otherwise is new.
#include "trial.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <random>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace {

using namespace crash;
using Kind = domsnap::os::Effect::Kind;

struct Options {
    std::string only, faults, table;
    uint32_t kills = 1;   ///< domsnap is killed at each n-th effect
    uint32_t every = 1;   ///< of the faults but a kill: each n-th effect that they concern
    uint32_t second = 0;  ///< so many second blows for each scenario
    uint32_t reverts = 0; ///< after so many trials all snapshots are gone back to; 0: never
    uint64_t seed = 1;
    uint32_t part = 0, parts = 1; ///< of the scenarios every so-many-th, from that one on
    bool sample = false;
    bool stop = false; ///< at the first wrong world
};

struct Counts {
    uint32_t points = 0, old_worlds = 0, new_worlds = 0, wrong = 0;
    void add(const Verdict& verdict) {
        ++points;
        if (verdict.world == Verdict::World::old) ++old_worlds;
        if (verdict.world == Verdict::World::fresh) ++new_worlds;
        if (verdict.world == Verdict::World::wrong) ++wrong;
    }
    void add(const Counts& more) {
        points += more.points;
        old_worlds += more.old_worlds;
        new_worlds += more.new_worlds;
        wrong += more.wrong;
    }
};

/// "2/3"
void choose_part(Options& options, const std::string& text) {
    options.part = static_cast<uint32_t>(std::stoul(text)) - 1;
    options.parts = static_cast<uint32_t>(std::stoul(text.substr(text.find('/') + 1)));
}

void choose_sample(Options& options) {
    const char* version = std::getenv("FAKE_QEMU_VERSION");
    if (version && std::string(version) == "10.0") {
        options.kills = 20;
        options.every = 200;
        return;
    }
    options.every = 60;
    options.second = 1;
    options.reverts = 150;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto value = [&] { return ++i < argc ? std::string(argv[i]) : std::string(); };
        if (word == "--only")
            options.only = value();
        else if (word == "--faults")
            options.faults = value();
        else if (word == "--qemu")
            ::setenv("FAKE_QEMU_VERSION", value().c_str(), 1);
        else if (word == "--kills")
            options.kills = static_cast<uint32_t>(std::stoul(value()));
        else if (word == "--every")
            options.every = static_cast<uint32_t>(std::stoul(value()));
        else if (word == "--second")
            options.second = static_cast<uint32_t>(std::stoul(value()));
        else if (word == "--reverts")
            options.reverts = static_cast<uint32_t>(std::stoul(value()));
        else if (word == "--seed")
            options.seed = std::stoull(value());
        else if (word == "--table")
            options.table = value();
        else if (word == "--sample")
            options.sample = true;
        else if (word == "--part")
            choose_part(options, value());
        else if (word == "--stop")
            options.stop = true;
        else {
            std::cerr << "unknown: " << word << "\n";
            std::exit(2);
        }
    }
    if (options.sample) choose_sample(options);
    return options;
}

/// Content and names are the same before and after it, but for a power failure: who is killed before it
/// leaves what the next kill leaves.
bool is_quiet(Kind kind) { return kind == Kind::sync || kind == Kind::sync_folder || kind == Kind::set_mode; }

bool concerns(Fault fault, Kind kind, bool with_guest) {
    const bool run_or_write = kind != Kind::signal && kind != Kind::send && kind != Kind::make_socket;
    switch (fault) {
    case Fault::kill:
        return !is_quiet(kind);
    case Fault::kill_all:
        return with_guest && !is_quiet(kind);
    case Fault::full:
    case Fault::broken:
        return run_or_write;
    case Fault::silent:
    case Fault::late:
        return kind == Kind::send;
    case Fault::kill_qemu:
    case Fault::kill_reader:
        return with_guest;
    default:
        return true;
    }
}

class Run {
  public:
    explicit Run(const Options& options) : options_(options) {}

    int all() {
        const auto scenarios = all_scenarios();
        for (size_t i = options_.part; i < scenarios.size(); i += options_.parts)
            if (scenarios[i].name().find(options_.only) != std::string::npos) one(scenarios[i]);
        print_totals();
        return total_.wrong == 0 ? 0 : 1;
    }

  private:
    bool stops() const { return options_.stop && total_.wrong > 0; }

    void one(const Scenario& scenario) {
        if (stops()) return;
        const auto began = std::chrono::steady_clock::now();
        // The same blows whichever scenarios run before it.
        random_.seed(options_.seed + std::hash<std::string>()(scenario.name()));
        since_reverts_ = static_cast<uint32_t>(random_() % std::max(options_.reverts, 1U));
        Trials trials(scenario);
        Counts counts;
        std::vector<uint32_t> recoveries(trials.effects() + 2);
        for (const Fault fault : all_faults())
            if (options_.faults.empty() ||
                ("," + options_.faults + ",").find(fmt::format(",{},", name_of(fault))) != std::string::npos)
                counts.add(with_fault(scenario, trials, fault, recoveries));
        counts.add(with_second(scenario, trials, recoveries));
        total_.add(counts);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        fmt::print("{:45} {:4} effects {:5} points: {:5} old {:5} new {:3} wrong ({:.1f} s)\n",
                   scenario.name(), trials.effects(), counts.points, counts.old_worlds, counts.new_worlds,
                   counts.wrong, took.count());
        std::fflush(stdout);
        rows_ += fmt::format("| {} | {} | {} | {} | {} | {} |\n", scenario.name(), trials.effects(),
                             counts.points, counts.old_worlds, counts.new_worlds, counts.wrong);
    }

    Counts with_fault(const Scenario& scenario, Trials& trials, Fault fault,
                      std::vector<uint32_t>& recoveries) {
        Counts counts;
        const uint32_t every = fault == Fault::kill ? options_.kills : options_.every;
        uint32_t concerned = static_cast<uint32_t>(random_() % every);
        for (uint32_t at = 1; at <= trials.effects() + (fault == Fault::kill) && !stops(); ++at) {
            const bool last = at > trials.kinds().size();
            if (!last && !concerns(fault, trials.kinds()[at - 1], scenario.with_guest)) continue;
            if (++concerned % every != 0) continue;
            const auto verdict = trials.run({fault, at});
            if (fault == Fault::kill) recoveries[at] = verdict.recovery_effects;
            count(scenario, counts, verdict, fmt::format("{} at {}", name_of(fault), at));
            check_reverts(scenario, trials, verdict, counts, fmt::format("{} at {}", name_of(fault), at));
        }
        faults_[name_of(fault)].add(counts);
        return counts;
    }

    Counts with_second(const Scenario& scenario, Trials& trials, const std::vector<uint32_t>& recoveries) {
        Counts counts;
        static constexpr Fault again[] = {Fault::kill, Fault::kill, Fault::power, Fault::kill_all,
                                          Fault::broken};
        for (uint32_t i = 0; i < options_.second && !stops(); ++i) {
            auto at = static_cast<uint32_t>(1 + random_() % trials.effects());
            while (at < trials.effects() && recoveries[at] == 0)
                ++at; // the next that a kill was tried at
            if (recoveries[at] == 0) continue;
            const Blow first{Fault::kill, at};
            const Blow second{again[random_() % std::size(again)],
                              static_cast<uint32_t>(1 + random_() % recoveries[at])};
            const auto verdict = trials.run(first, second);
            count(scenario, counts, verdict,
                  fmt::format("kill at {}, then {} at {}", at, name_of(second.fault), second.at));
        }
        faults_["a second blow"].add(counts);
        return counts;
    }

    void count(const Scenario& scenario, Counts& counts, const Verdict& verdict, const std::string& what) {
        counts.add(verdict);
        if (verdict.world != Verdict::World::wrong) return;
        ++total_wrong_shown_;
        if (total_wrong_shown_ <= 40) fmt::print("WRONG {}: {}\n{}\n", scenario.name(), what, verdict.why);
        std::fflush(stdout);
        if (options_.stop) total_.wrong = 1;
    }

    void check_reverts(const Scenario& scenario, Trials& trials, const Verdict& verdict, Counts& counts,
                       const std::string& what) {
        if (options_.reverts == 0 || verdict.world == Verdict::World::wrong) return;
        if (++since_reverts_ < options_.reverts) return;
        since_reverts_ = 0;
        const auto wrong = revert_to_each(trials);
        ++reverted_;
        if (wrong.empty()) return;
        ++counts.wrong;
        fmt::print("WRONG {}: {}, afterwards {}\n", scenario.name(), what, wrong);
    }

    static double cpu_seconds() {
        double seconds = 0;
        for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
            rusage usage{};
            ::getrusage(who, &usage);
            seconds += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        }
        return seconds;
    }

    void print_totals() {
        std::string rows;
        for (const auto& [name, counts] : faults_)
            rows += fmt::format("| {} | {} | {} | {} | {} |\n", name, counts.points, counts.old_worlds,
                                counts.new_worlds, counts.wrong);
        fmt::print(
            "{}{} points, {} wrong; after {} of them every snapshot was gone back to; {:.0f} s of CPU\n",
            rows, total_.points, total_.wrong, reverted_, cpu_seconds());
        if (options_.table.empty()) return;
        std::ofstream(options_.table)
            << "| verb | effects | struck | old world | new world | wrong |\n|---|---|---|---|---|---|\n"
            << rows_ << "\n| struck by | times | old world | new world | wrong |\n|---|---|---|---|---|\n"
            << rows;
    }

    Options options_;
    std::mt19937_64 random_;
    Counts total_;
    std::map<std::string, Counts> faults_;
    std::string rows_;
    uint32_t total_wrong_shown_ = 0, since_reverts_ = 0, reverted_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1); // what dying verbs leave running is ours to end and to bury
    ::setenv("DOMSNAP_QEMU", FAKE_QEMU, 1);
    ::setenv("DOMSNAP_LIBEXEC_DIR", LIBEXEC_DIR, 1);
    ::setenv("PATH", fmt::format("{}:{}", PROGRAMS, std::getenv("PATH")).c_str(), 1); // its swtpm
    try {
        return Run(parse(argc, argv)).all();
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 3;
    }
}
