#include "plan/document.h"

namespace domsnap::plan {

std::string document_text(const model::Domain& domain) { return model::to_text(domain.document) + "\n"; }

std::string record_text(const model::Snapshot& snapshot) {
    return model::to_text(model::to_element(snapshot, {.security_info = true, .points = true})) + "\n";
}

model::Element inactive_document(const model::Domain& definition) {
    model::Element element = definition.document;
    element.name = "inactiveDomain";
    return element;
}

} // namespace domsnap::plan
