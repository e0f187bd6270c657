// Running and stopping: each verb is one call and one sentence.
#include "groups.h"
#include "session.h"
#include "terminal.h"

#include <fmt/format.h>

namespace domsnap::cli {

using Call = std::function<void(Host&, const std::string& domain, const Control&)>;

/// failed: "Failed to resume domain"; done: "resumed".
static std::function<void(Session&, const Arguments&)> action(Call call, std::string failed,
                                                              std::string done) {
    return [call = std::move(call), failed = std::move(failed),
            done = std::move(done)](Session& session, const Arguments& arguments) {
        const std::string domain = arguments.get("domain");
        explained(fmt::format("{} '{}'", failed, domain), {domain},
                  [&] { call(session.host(), domain, session.control()); });
        session.say(fmt::format("Domain '{}' {}\n", domain, done));
    };
}

static void start(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain");
    explained(fmt::format("Failed to start domain '{}'", domain), {domain}, [&] {
        session.host().start(domain,
                             {.paused = arguments.has("paused"),
                              .reset_nvram = arguments.has("reset-nvram"),
                              .force_boot = arguments.has("force-boot")},
                             session.control());
    });
    session.say(fmt::format("Domain '{}' started\n", domain));
    if (!arguments.has("console")) return;
    const auto console = session.host().console(domain);
    session.say("Escape character is ^] (Ctrl + ])\n");
    session.flush();
    relay_console(console.path, console.is_socket);
}

static void destroy(Session& session, const Arguments& arguments) {
    const bool graceful = arguments.has("graceful");
    action([graceful](Host& host, const std::string& domain,
                      const Control& control) { host.destroy(domain, graceful, control); },
           "Failed to destroy domain", "destroyed")(session, arguments);
}

/// QEMU has one way only to ask a guest.
static void require_acpi(const Arguments& arguments) {
    if (!arguments.has("mode") || arguments.get("mode") == "acpi") return;
    throw Error(ErrorCode::unsupported,
                fmt::format("mode '{}' is not supported for domain '{}'", arguments.get("mode"),
                            arguments.get("domain")),
                "domsnap asks the guest through ACPI: leave --mode out");
}

static std::function<void(Session&, const Arguments&)>
by_acpi(std::function<void(Session&, const Arguments&)> next) {
    return [next = std::move(next)](Session& session, const Arguments& arguments) {
        require_acpi(arguments);
        next(session, arguments);
    };
}

std::vector<Verb> power_verbs() {
    const auto mode = value("mode", "acpi, the only one there is");
    return {
        {"start",
         "start a (previously defined) inactive domain",
         "Start a domain. QEMU outlives the command.",
         {required("domain", "name of the inactive domain"),
          flag("console", "attach to console after creation"),
          flag("paused", "leave the guest paused after creation"),
          flag("reset-nvram", "re-initialize NVRAM from its pristine template"),
          flag("force-boot", "boot a fork too that would go on from its snapshot's memory")},
         {},
         start},
        {"shutdown",
         "gracefully shutdown a domain",
         "Ask the guest to shut down; return at once.",
         {domain_argument(), mode},
         {},
         by_acpi(action([](Host& host, const std::string& domain,
                           const Control& control) { host.shutdown(domain, control); },
                        "Failed to shutdown domain", "is being shutdown"))},
        {"destroy",
         "destroy (stop) a domain",
         "Forcefully stop a given domain, but leave its resources intact.",
         {domain_argument(), flag("graceful", "terminate gracefully")},
         {},
         destroy},
        {"reboot",
         "reboot a domain",
         "Ask the guest to reboot.",
         {domain_argument(), mode},
         {},
         by_acpi(action([](Host& host, const std::string& domain,
                           const Control& control) { host.reboot(domain, control); },
                        "Failed to reboot domain", "is being rebooted"))},
        {"reset",
         "reset a domain",
         "Reset the target domain as if by power button",
         {domain_argument()},
         {},
         action([](Host& host, const std::string& domain,
                   const Control& control) { host.reset(domain, control); },
                "Failed to reset domain", "was reset")},
        {"suspend",
         "suspend a domain",
         "Suspend a running domain.",
         {domain_argument()},
         {},
         action([](Host& host, const std::string& domain,
                   const Control& control) { host.suspend(domain, control); },
                "Failed to suspend domain", "suspended")},
        {"resume",
         "resume a domain",
         "Resume a previously suspended domain.",
         {domain_argument()},
         {},
         action([](Host& host, const std::string& domain,
                   const Control& control) { host.resume(domain, control); },
                "Failed to resume domain", "resumed")},
    };
}

} // namespace domsnap::cli
