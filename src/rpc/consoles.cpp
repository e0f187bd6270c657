#include "rpc/consoles.h"

#include "rpc/failure.h"

namespace domsnap::rpc {

std::shared_ptr<Stream> Consoles::open(const std::string& device, bool force,
                                       const std::function<std::shared_ptr<Stream>()>& open) {
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [](const auto& one) { return one.second.expired(); });
    if (const auto other = open_[device].lock(); other && !other->is_over()) {
        if (!force)
            throw Refusal(Code::operation_failed, Area::qemu,
                          "operation failed: Active console session exists for this domain");
        other->end();
    }
    auto stream = open();
    open_[device] = stream;
    return stream;
}

} // namespace domsnap::rpc
