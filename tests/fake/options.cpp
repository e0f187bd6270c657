#include "options.h"

#include "base/text.h"

#include <set>

namespace fake {

namespace {

const std::set<std::string> flags = {"S",         "nodefaults", "no-user-config", "no-reboot", "no-shutdown",
                                     "nographic", "enable-kvm", "daemonize",      "snapshot",  "no-acpi",
                                     "no-hpet",   "version",    "preconfig"};

/// "a,b=c,d=e,,f" -> first word under `first`, ",," an escaped comma.
Properties key_values(const std::string& text, const std::string& first) {
    std::vector<std::string> parts{""};
    for (size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text.compare(i, 2, ",,") == 0;
        if (text[i] == ',' && !escaped)
            parts.emplace_back();
        else
            parts.back() += text[i];
        if (escaped) ++i;
    }
    Properties properties;
    for (size_t i = 0; i < parts.size(); ++i) {
        const size_t equals = parts[i].find('=');
        if (equals == std::string::npos)
            properties[i == 0 ? first : parts[i]] = i == 0 ? parts[i] : "on";
        else
            properties[parts[i].substr(0, equals)] = parts[i].substr(equals + 1);
    }
    return properties;
}

Json json_or_key_values(const std::string& text, const std::string& first) {
    if (text.starts_with('{')) return Json::parse(text);
    Json object = Json::object();
    for (const auto& [key, value] : key_values(text, first))
        object[key] = value;
    return object;
}

uint64_t size_of(const std::string& text, uint64_t unit) {
    const std::string suffixes = "kMGT";
    std::string digits = text;
    if (!digits.empty())
        if (const size_t power = suffixes.find(digits.back() == 'K' ? 'k' : digits.back());
            power != std::string::npos) {
            unit = uint64_t{1024} << (10 * power);
            digits.pop_back();
        }
    const auto number = domsnap::text::to_u64(digits);
    if (!number) throw Refusal("Parameter 'size' expects a non-negative number below 2^64");
    return *number * unit;
}

void read_object(Options& options, const std::string& value) {
    const Json object = json_or_key_values(value, "qom-type");
    if (!object.value("qom-type", "").starts_with("memory-backend-")) return;
    options.ram_id = object.value("id", options.ram_id);
    options.ram_file = object.value("mem-path", options.ram_file);
    const Json size = object.value("size", Json());
    if (size.is_number())
        options.ram_bytes = size;
    else if (size.is_string())
        options.ram_bytes = size_of(size, 1);
}

void read_monitor(Options& options, const std::string& value) {
    Properties monitor = key_values(value, "chardev");
    if (monitor["mode"] == "control") options.monitors.push_back(monitor["chardev"]);
}

void read_value(Options& options, const std::string& option, const std::string& value) {
    if (option == "name")
        options.name = key_values(value, "guest")["guest"];
    else if (option == "uuid")
        options.uuid = value;
    else if (option == "machine" || option == "M")
        options.machine = key_values(value, "type")["type"];
    else if (option == "pidfile")
        options.pid_file = value;
    else if (option == "incoming")
        options.incoming = value;
    else if (option == "m")
        options.ram_bytes = size_of(key_values(value, "size")["size"], uint64_t{1} << 20);
    else if (option == "object")
        read_object(options, value);
    else if (option == "blockdev")
        options.blockdevs.push_back(json_or_key_values(value, "driver"));
    else if (option == "device")
        options.devices.push_back(json_or_key_values(value, "driver"));
    else if (option == "mon")
        read_monitor(options, value);
    else if (option == "chardev") {
        Properties chardev = key_values(value, "backend");
        options.chardevs[chardev["id"]] = chardev;
    }
}

} // namespace

Options parse_options(const std::vector<std::string>& arguments) {
    Options options;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string option = arguments[i].substr(arguments[i].starts_with("--") ? 2 : 1);
        if (!arguments[i].starts_with('-'))
            throw Refusal("drive '" + arguments[i] + "': the fake takes -blockdev only");
        if (option == "S") options.paused = true;
        if (option == "version") options.show_version = true;
        if (flags.contains(option)) continue;
        if (i + 1 == arguments.size()) throw Refusal(arguments[i] + ": requires an argument");
        read_value(options, option, arguments[++i]);
    }
    return options;
}

} // namespace fake
