// The procedures that are answered: a table, filled by one file per family. A handler is a function from a
// wire struct to a wire struct; decoding, encoding, permission and errors are dealt with here, once.
#pragma once

#include "rpc/client.h"
#include "rpc/failure.h"
#include "rpc/wire.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::rpc {

/// One call on its way through a handler.
struct Call {
    Client& client;
    const Header& header;
    std::string_view procedure; ///< its name
    /// Done after the answer is on its way: a stream's packets must not overtake it.
    std::function<void()> afterwards = {};

    Service& service() const { return client.service(); }
    Host& host() const { return client.service().host; }
};

enum class Access { before_open, read, write };

struct Procedure {
    std::string_view name;
    Access access = Access::read;
    std::function<std::string(Call&, std::string_view arguments)> run;
};
using Family = std::vector<Procedure>;

template <class Arguments, class Result>
Procedure reads(std::string_view name, Result (*handler)(Call&, const Arguments&)) {
    return {name, Access::read, [handler](Call& call, std::string_view arguments) {
                return encode(handler(call, decode<Arguments>(arguments)));
            }};
}
template <class Arguments, class Result>
Procedure writes(std::string_view name, Result (*handler)(Call&, const Arguments&)) {
    auto procedure = reads(name, handler);
    procedure.access = Access::write;
    return procedure;
}

Family connect_family();
Family node_family();
Family domain_family();
Family power_family();
Family snapshot_family();
Family snapshot_list_family();
Family job_family();
Family statistics_family();
Family event_family();
Family stream_family();
Family storage_family();
Family volume_family();
Family volume_change_family();
Family volume_stream_family();
Family absent_family();
Family qemu_family(); ///< of the program "qemu", by its own numbers: their order

/// Whether it may wait for a domain's lock, which somebody may hold for hours: what only looks does not.
bool may_wait(const Header& header);

/// nullptr if it is not answered.
const Procedure* find_procedure(uint32_t program, int32_t number);

} // namespace domsnap::rpc
