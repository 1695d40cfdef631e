"""Our own recipes, by name: data for `training`, in a package so that a wheel has them."""
