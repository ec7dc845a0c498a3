// Filling the tables of products and convolutions; called once when the library is loaded.
#pragma once

namespace hwaro {

void load_products();

}  // namespace hwaro
