// A picture that tells the kernel where it was clicked, as shares of its width and height.
function render({ model, el }) {
  const image = document.createElement("img");
  image.alt = "map of codes: click a picture to send it to the sliders";
  image.style.cssText = "width: 640px; cursor: crosshair";
  const show = () => {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([model.get("picture")], { type: "image/png" }));
  };
  image.addEventListener("click", (event) => {
    model.set("place", [event.offsetX / image.clientWidth, event.offsetY / image.clientHeight]);
    model.save_changes();
  });
  model.on("change:picture", show);
  show();
  el.append(image);
}
export default { render };
