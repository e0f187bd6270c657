// fake-qemu: a QEMU without a guest. tests/fake/README.md says what it plays and how it is made to fail.
#include "machine.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

namespace {

std::string wanted_version() {
    const char* version = std::getenv("FAKE_QEMU_VERSION");
    return version ? version : "7.2";
}

void print_version(const fake::Schema& schema) {
    const auto& version = schema.version();
    const auto& numbers = version.at("qemu");
    std::printf("QEMU emulator version %d.%d.%d (%s)\n", numbers["major"].get<int>(),
                numbers["minor"].get<int>(), numbers["micro"].get<int>(),
                version["package"].get<std::string>().c_str());
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        auto schema = fake::Schema::load(wanted_version());
        auto options = fake::parse_options({argv + 1, argv + argc});
        if (options.show_version) {
            print_version(schema);
            return 0;
        }
        if (!options.pid_file.empty()) std::ofstream(options.pid_file) << ::getpid() << "\n";
        fake::Machine(std::move(options), std::move(schema)).run();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "qemu-system-x86_64: %s\n", failure.what());
        return 1;
    }
}
