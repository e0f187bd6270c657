// The command line's main: one of the three places that catch domsnap::Error.
#include "command_line.h"
#include "help.h"
#include "session.h"

#include <exception>
#include <fmt/format.h>

namespace domsnap::cli {
namespace {

void run(const CommandLine& line) {
    Session session(line.globals);
    if (line.globals.version) {
        session.print_document("domsnap " DOMSNAP_VERSION "\n");
    } else if (line.globals.help) {
        session.print_document(line.verb ? help_of(*line.verb) : help_overview());
    } else {
        line.verb->run(session, line.arguments);
    }
    session.finish();
}

int guarded(int argc, char** argv) {
    try {
        run(parse_command_line({argv + 1, argv + argc}));
        return 0;
    } catch (const UsageError& error) {
        print_error(error.what(), error.hint);
        return 2;
    } catch (const Error& error) {
        print_error(error.what(), error.hint());
    } catch (const std::exception& error) {
        print_error(fmt::format("internal error: {}", error.what()), "");
    }
    return 1;
}

} // namespace
} // namespace domsnap::cli

int main(int argc, char** argv) { return domsnap::cli::guarded(argc, argv); }
