"""Configuration of Sphinx. The build downloads nothing; inventories are part of the sources.

``python -m sphinx -W --keep-going -b html docs docs/_build/html`` builds it.
"""

import sys
from pathlib import Path

import sk_twolayer

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "sk_twolayer"
author = "The sk_twolayer developers"
copyright = f"%Y, {author}"
version = release = sk_twolayer.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",  # each public name links to its source
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "api_reference",
    "name_links",
    "snippets",
]
exclude_patterns = ["_build", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
highlight_language = "none"  # for code blocks that do not name a language
smartquotes = False  # so that "auto" can be copied
default_role = "py:obj"  # a link where the name is known, code where it is not
nitpicky = True
# Parameters, attributes and expressions need no page; names of classes and dotted names do.
nitpick_ignore_regex = [("py:obj", r"[a-z_]\w*([^\w.].*)?|[A-Z](_\w+)?|2 \* h")]
nitpick_ignore = [("py:obj", "ThreadingHTTPServer"), ("py:obj", "sklearn.callback")]
# docs/inventories/make_inventory.py writes the inventory.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable/", "inventories/scikit-learn.inv"),
}

autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"  # the order of use: fit, then predict
autosummary_generate = True
numpydoc_show_class_members = False  # the template of a class does
numpydoc_class_members_toctree = False
maximum_signature_line_length = 72
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)\w+\.py$",
    "within_subsection_order": "gallery.position",
    "abort_on_example_error": True,
    "image_scrapers": ("gallery.save_images",),
    "reset_modules": ("matplotlib", "gallery.style", "gallery.warnings_are_errors"),
    "inspect_global_variables": False,  # the class of a variable is guessed, often wrongly
    "reset_modules_order": "both",
    "doc_module": ("sk_twolayer",),
    "reference_url": {"sk_twolayer": None},
    "backreferences_dir": "generated/backreferences",
    "image_srcset": ["2x"],
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
    "plot_gallery": True,
}

# Pages without the list of other pages, but with the list of their own sections.
ALONE = (
    "getting_started",
    "migration",
    "backpropagation",
    "how_it_is_fast",
    "changelog",
    "contributing",
)

html_theme = "pydata_sphinx_theme"
html_title = "sk_twolayer"
html_favicon = "_static/logo-light.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "_extensions" / "scorer.js")
html_show_sourcelink = False
html_theme_options = {
    "logo": {
        "image_light": "_static/logo-light.svg",
        "image_dark": "_static/logo-dark.svg",
        "text": "sk_twolayer",
        "alt_text": "sk_twolayer - home",
    },
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": {name: ["page-toc"] for name in (*ALONE, "generated/*")},
}
html_sidebars = {name: [] for name in ("index", "benchmarks", *ALONE)}
