#include "commands.h"

#include "clock.h"
#include "firmware.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <map>
#include <sys/reboot.h>
#include <unistd.h>
#include <utility>

namespace guest {
namespace {

// A line is cut at spaces word by word, so that the last argument can keep its own.
class Words {
  public:
    explicit Words(std::string line) : rest_(std::move(line)) {}
    std::string next() {
        skip_spaces();
        const size_t end = std::min(rest_.find(' '), rest_.size());
        std::string word = rest_.substr(0, end);
        rest_.erase(0, end);
        return word;
    }
    uint64_t number(uint64_t otherwise = 0) {
        const std::string word = next();
        return word.empty() ? otherwise : strtoull(word.c_str(), nullptr, 0);
    }
    std::string rest() {
        skip_spaces();
        return rest_;
    }

  private:
    void skip_spaces() { rest_.erase(0, std::min(rest_.find_first_not_of(' '), rest_.size())); }
    std::string rest_;
};

std::string ok(const std::string& fields = "") {
    return "{\"ok\":true" + (fields.empty() ? "" : "," + fields) + "}";
}
std::string failed(const std::string& why) { return "{\"ok\":false,\"error\":" + quoted(why) + "}"; }
std::string field(const std::string& name, uint64_t value) {
    return quoted(name) + ":" + std::to_string(value);
}
std::string field(const std::string& name, const std::string& text) {
    return quoted(name) + ":" + quoted(text);
}

std::string hashes(World& w) {
    return field("ram_hash", hex(w.ram.hash(w.breathe))) + "," +
           field("ram_expected", hex(w.ram.expected_hash())) + "," + field("ram_mib", w.ram.filled_mib()) +
           "," + field("dirty_errors", w.ram.dirty_errors());
}

std::string notes(const World& w) {
    std::string out;
    for (const auto& note : w.ram.notes)
        out += (out.empty() ? "" : ",") + quoted(note);
    return "\"notes\":[" + out + "]";
}

// The hash comes first: it lets ticks happen, and nothing may happen between the counters of RAM and of the
// disks.
std::string status(World& w, Words&) {
    const std::string ram = hashes(w);
    return ok(field("boot", hex(w.boot)) + "," + field("tick", w.tick) + ",\"disks\":" + w.disks.json() +
              "," + ram + "," + notes(w) + "," + field("uptime_ms", static_cast<uint64_t>(now_ms())));
}

std::string fill(World& w, Words& words) {
    const uint64_t seed = words.number(), mib = std::max<uint64_t>(1, words.number(1));
    if (!w.ram.fill(seed, mib, w.breathe)) return failed("not so much memory");
    return ok(hashes(w));
}

std::string dirty(World& w, Words& words) {
    const auto rate = static_cast<unsigned>(words.number());
    return w.ram.dirty(rate, std::max<uint64_t>(1, words.number(32))) ? ok() : failed("not so much memory");
}

std::string note(World& w, Words& words) {
    w.ram.notes.push_back(words.rest());
    return ok(notes(w));
}

std::string gap(World& w, Words&) {
    return ok(field("gap_ms", static_cast<uint64_t>(std::exchange(w.longest_gap_ms, 0))));
}

using DiskCommand = std::function<std::string(Disk&, Words&)>;

auto on_disk(DiskCommand command) {
    return [command](World& w, Words& words) {
        const std::string name = words.next();
        Disk* disk = w.disks.find(name);
        return disk == nullptr ? failed("no disk " + name) : command(*disk, words);
    };
}

const std::string io_failed = "input/output failed, see status";

std::string disk_read(Disk& disk, Words& words) {
    const uint64_t offset = words.number(), length = std::min<uint64_t>(words.number(16), 64 * 1024);
    std::string text;
    return disk.read(offset, length, text) ? ok(field("text", text)) : failed(io_failed);
}

std::string disk_write(Disk& disk, Words& words) {
    const uint64_t offset = words.number();
    return disk.write(offset, words.rest()) ? ok() : failed(io_failed);
}

std::string disk_scribble(Disk& disk, Words& words) {
    const uint64_t offset = words.number(), kib = words.number(), seed = words.number();
    return disk.scribble(offset, kib, seed) ? ok() : failed(io_failed);
}

std::string disk_hash(Disk& disk, Words& words) {
    const uint64_t offset = words.number(), kib = words.number();
    uint64_t hash = 0;
    return disk.hash(offset, kib, hash) ? ok(field("hash", hex(hash))) : failed(io_failed);
}

std::string disk_log(Disk& disk, Words&) { return ok(field("log_errors", disk.log_errors())); }

std::string power_button(World& w, Words& words) {
    w.obey_power_button = words.next() != "ignore";
    return ok();
}

std::string outcome(const std::string& error, const std::string& fields = "") {
    return error.empty() ? ok(fields) : failed(error);
}

std::string write_variable(World&, Words& words) {
    const std::string name = words.next();
    return outcome(efi_write(name, words.rest()));
}

std::string read_variable(World&, Words& words) {
    std::string text;
    const auto error = efi_read(words.next(), text);
    return outcome(error, field("text", text));
}

std::string write_index(World&, Words& words) {
    const auto index = static_cast<uint32_t>(words.number());
    return outcome(tpm_write(index, words.rest()));
}

std::string read_index(World&, Words& words) {
    std::string text;
    const auto error = tpm_read(static_cast<uint32_t>(words.number()), text);
    return outcome(error, field("text", text));
}

std::string crash(World&, Words&) {
    const int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "c", 1) != 1) return failed("no sysrq");
    return ok();
}

using Command = std::function<std::string(World&, Words&)>;

const std::map<std::string, Command>& table() {
    static const std::map<std::string, Command> commands = {
        {"status", status},
        {"fill", fill},
        {"hash", [](World& w, Words&) { return ok(hashes(w)); }},
        {"dirty", dirty},
        {"note", note},
        {"notes", [](World& w, Words&) { return ok(notes(w)); }},
        {"gap", gap},
        {"read", on_disk(disk_read)},
        {"write", on_disk(disk_write)},
        {"scribble", on_disk(disk_scribble)},
        {"disk-hash", on_disk(disk_hash)},
        {"log", on_disk(disk_log)},
        {"power-button", power_button},
        {"efi-write", write_variable},
        {"efi-read", read_variable},
        {"tpm-write", write_index},
        {"tpm-read", read_index},
        {"crash", crash},
    };
    return commands;
}

std::string help() {
    std::string out = "shell poweroff reboot help";
    for (const auto& [name, command] : table())
        out += " " + name;
    return ok(field("commands", out));
}

} // namespace

void power(int how) {
    sync();
    reboot(how);
    for (;;)
        pause(); // without ACPI the machine only halts
}

void run_command(World& world, Port& port, const std::string& line) {
    Words words(line);
    std::string id, verb = words.next();
    if (verb.starts_with('#')) {
        id = verb + " ";
        verb = words.next();
    }
    if (verb.empty()) return;
    const auto answer = [&](const std::string& json) { port.say(id + json); };
    if (verb == "help") return answer(help());
    if (verb == "shell") return answer(ok()), port.lend_to_shell();
    if (verb == "poweroff") return answer(ok()), power(RB_POWER_OFF);
    if (verb == "reboot") return answer(ok()), power(RB_AUTOBOOT);
    const auto command = table().find(verb);
    answer(command == table().end() ? failed("unknown command " + verb) : command->second(world, words));
}

} // namespace guest
