#include "engine/changed_source.h"

#include "base/error.h"
#include "engine/mapped_image.h"
#include "qmp/commands.h"

namespace domsnap::engine {

memory::ChangedSource changed_source(Session& session) {
    const auto origin = mapped_ram(session);
    if (!origin) throw Error(ErrorCode::unsupported, "the guest has memory of its own");
    memory::ChangedSource source{mapped_file(origin->image), session.running_process(), {}};
    std::vector<memory::ListedBlock> listed;
    for (const auto& block : qmp::query_ram_blocks(session.monitor(), quick()))
        listed.push_back({block.name, block.used, block.most, block.address});
    source.blocks = memory::place_blocks(source.process, memory::ImageReader::open(source.whole), listed,
                                         qmp::ram_address(session.monitor(), quick()), origin->copy);
    return source;
}

} // namespace domsnap::engine
